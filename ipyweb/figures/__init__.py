"""matplotlib figures that outlive their script: taken in the user's process, drawn by a keeper of their own."""

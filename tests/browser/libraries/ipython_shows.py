import base64
import io
import wave
from pathlib import Path

import ipyweb

ipyweb.display("begin")
from IPython.display import *
from PIL import Image as Picture
from rich.table import Table

stream = io.BytesIO()
Picture.new("RGB", (200, 100), "green").save(stream, "png")
png = stream.getvalue()
stream = io.BytesIO()
Picture.new("RGB", (200, 100), "green").save(stream, "gif")
gif = stream.getvalue()
stream = io.BytesIO()
Picture.new("RGB", (200, 100), "green").save(stream, "jpeg")
jpeg = stream.getvalue()
Path("sound.wav").write_bytes(b"")
with wave.open("sound.wav", "wb") as sound:
    sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(8000), sound.writeframes(bytes(1600))

display(Image(png))  # → IPython image
display(Image(jpeg))  # → IPython jpeg
display(Image(gif, format="gif"))  # → IPython gif
display(Image(url="https://example.org/a.png"))  # → IPython image at a URL
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="green"/></svg>'))  # → IPython svg
display(HTML("<b>bold</b>"))  # → IPython html
display(Markdown("# Title"))  # → IPython markdown
display(Latex(r"$\frac{1}{2}$"))  # → IPython latex
display(Math(r"\frac{1}{2}"))  # → IPython math
display(Code("print('hello')", language="python"))  # → IPython code
bar = ProgressBar(10)
bar.display()  # → IPython progress bar
bar.progress = 5
display(Pretty("pretty words"))  # → IPython pretty
display(IFrame("https://example.org", 300, 200))  # → IPython iframe
display(YouTubeVideo("dQw4w9WgXcQ"))  # → IPython video from YouTube
display(FileLink("sound.wav"))  # → IPython file link
display(FileLinks("."))  # → IPython file links
display(Audio("sound.wav"))  # → IPython audio
display(Video(b"\0" * 32, embed=True, mimetype="video/mp4"))  # → IPython video
Path("film.mp4").write_bytes(bytes(32))
display(Video("film.mp4"))  # → IPython video in a file
display(JSON({"name": "waves"}, expanded=True))  # → IPython json
display(GeoJSON({"type": "Point", "coordinates": [12.5, 41.9]}))  # → IPython geojson
display(Javascript("element.textContent = 'drawn'"))  # → IPython javascript
handle = display("first", display_id=True)  # → IPython handle
handle.update(HTML("<i>second</i>"))
handle = DisplayHandle()
handle.display(HTML("<i>by handle</i>"))  # → IPython display handle
display(DisplayObject("some data"))  # → IPython display object
display(TextDisplayObject("some text"))  # → IPython text object
table = Table("Name")
table.add_row("Ada")
ipyweb.display(table)  # → rich table

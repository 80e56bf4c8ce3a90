"""Every address of the hub. A test walks this table: what is not meant to be public must refuse."""

from typing import Any

from . import exporting, http, polling, public, sockets, uploads
from .base import Guard
from .context import Context

_SHA256, _MAC, _ID = "([0-9a-f]{64})", "([0-9a-f]{32})", "([0-9]{1,18})"
_RUN, _LINE = "([0-9a-f]{32})", "([A-Za-z0-9_-]{22})"
_SIGNATURE, _CLAIMS = "([A-Za-z0-9_-]{43})", "([A-Za-z0-9_-]{1,2048})"
ROUTES: tuple[tuple[str, type[Guard]], ...] = (
    ("/", public.Shell),
    ("/assets/([A-Za-z0-9_./-]+)", public.Assets),
    (f"/c/{_MAC}/frame\\.html", public.FrameDocument),
    (f"/c/{_MAC}/{_SHA256}\\.([a-z]{{3,4}})", public.CapabilityBytes),
    (f"/s/{_SIGNATURE}/{_CLAIMS}\\.png", public.Picture),
    ("/hello", public.Challenge),
    ("/exchange", public.Exchange),
    ("/api/openapi\\.json", http.Description),
    ("/api/state", http.State),
    ("/api/outputs", http.Outputs),
    (f"/api/outputs/{_ID}", http.Output),
    (f"/api/outputs/{_ID}/restore", http.Restore),
    (f"/api/outputs/{_ID}/versions", http.Versions),
    (f"/api/outputs/{_ID}/data", http.OutputData),
    (f"/api/outputs/{_ID}/network", http.Network),
    ("/api/clear", http.Clear),
    ("/api/restore", http.RestoreAll),
    ("/api/sessions", http.Sessions),
    ("/api/runs", http.Runs),
    (f"/api/runs/{_RUN}", http.Run),
    ("/api/settings", http.SettingsHandler),
    ("/api/export", exporting.Export),
    ("/api/import", exporting.Import),
    ("/api/codes", http.CodesHandler),
    ("/api/opened", http.Opened),
    (f"/api/blobs/{_SHA256}", uploads.BlobsHandler),
    ("/api/shares", http.Shares),
    ("/api/hosts", http.Hosts),
    ("/api/rotate", http.Rotate),
    ("/api/stop", http.Stop),
    ("/ws/session", sockets.SessionSocket),
    ("/ws/keeper", sockets.KeeperSocket),
    ("/ws/comms/session", sockets.CommSessionSocket),
    ("/ws/comms/pane", sockets.CommPaneSocket),
    ("/ws/reach", sockets.ReachSocket),
    ("/ws/pane", sockets.PaneSocket),
    ("/poll", polling.Lines),
    (f"/poll/{_LINE}", polling.LineHandler),
)


def table(context: Context) -> list[tuple[str, type[Guard], dict[str, Any]]]:
    """The routes as tornado takes them."""
    return [(pattern, handler, {"context": context}) for pattern, handler in ROUTES]

"""How a loopback LinkedIn takes files: initialize, PUT, finalize, look (fact sheet, section 1)."""

from __future__ import annotations

from typing import Any

from postsched.testing.linkedin_state import State, Upload, only, plain, wrong
from postsched.testing.wire import Answer, Request

VIDEO = {"owner", "fileSizeBytes", "uploadCaptions", "uploadThumbnail"}


class Uploads:
    """The uploads of one author. `part_size` is in bytes; `processing` is how often an upload is
    still being processed when asked; `readable` whether images and documents may be looked at."""

    def __init__(self, state: State, token: str, part_size: int, processing: int) -> None:
        self.state = state
        self.token = token
        self.part_size = part_size
        self.processing = processing
        self.readable = True

    def initialize(self, kind: str, body: Any, base: str) -> Answer:
        """Name an upload, and say where its bytes go."""
        request = only(body, {"initializeUploadRequest"}, {"initializeUploadRequest"})
        fields = VIDEO if kind == "video" else {"owner"}
        given = only(request["initializeUploadRequest"], fields, fields)
        if given["owner"] != self.state.author:
            raise plain(403, "ACCESS_DENIED", "Not enough permissions to access: owner", 100)
        upload = Upload(f"urn:li:{kind}:C4E{len(self.state.uploads)}_{kind}", given["owner"])
        self.state.uploads[upload.urn] = upload
        number, expires = len(self.state.uploads), 1650567510704
        if kind != "video":
            url = f"{base}/dms-uploads/{number}/0"
            value = {"uploadUrl": url, "uploadUrlExpiresAt": expires, kind: upload.urn}
            return Answer(200, {"value": value})
        size = int(given["fileSizeBytes"])
        starts = range(0, size, self.part_size)
        upload.ranges = [(at, min(at + self.part_size, size) - 1) for at in starts]
        instructions = [
            {"firstByte": a, "lastByte": b, "uploadUrl": f"{base}/dms-uploads/{number}/{n}"}
            for n, (a, b) in enumerate(upload.ranges)
        ]
        return Answer(200, {"value": {
            "video": upload.urn, "uploadUrlsExpireAt": expires, "uploadToken": "up-token",
            "uploadInstructions": instructions,
        }})  # fmt: skip

    def put(self, request: Request, number: int, part: int) -> Answer:
        """Take bytes: with the token for images and documents, without it for parts of a video."""
        upload = list(self.state.uploads.values())[number - 1]
        token = request.headers.get("authorization")
        if upload.kind != "video":
            if token != f"Bearer {self.token}":
                raise plain(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65600)
            upload.parts[0], upload.done, upload.polls = request.body, True, self.processing
            return Answer(201)
        first, last = upload.ranges[part]
        kind = request.headers.get("content-type")
        if token is not None or kind != "application/octet-stream":
            raise plain(400, "BAD_REQUEST", "no token here, and only application/octet-stream")
        if len(request.body) != last - first + 1:
            raise plain(400, "BAD_REQUEST", f"exactly bytes {first} to {last}")
        upload.parts[part] = request.body
        return Answer(200, headers={"ETag": f'"/ambry-video/{number}/{part}"'})

    def finalize(self, body: Any) -> Answer:
        """Take a video for whole."""
        request = only(body, {"finalizeUploadRequest"}, {"finalizeUploadRequest"})
        fields = {"video", "uploadToken", "uploadedPartIds"}
        given = only(request["finalizeUploadRequest"], fields, fields)
        upload = self.state.uploads.get(given["video"])
        if upload is None:
            raise wrong("INVALID_URN_ID", "no such video", "/video")
        number = list(self.state.uploads).index(upload.urn) + 1
        tags = [f'"/ambry-video/{number}/{n}"' for n in range(len(upload.ranges))]
        whole = len(upload.parts) == len(upload.ranges)
        if given["uploadedPartIds"] != tags or given["uploadToken"] != "up-token" or not whole:
            raise wrong("INVALID_VALUE_FOR_FIELD", "not the parts of it", "/uploadedPartIds")
        upload.done, upload.polls = True, self.processing
        return Answer(200)

    def look(self, kind: str, urn: str) -> Answer:
        """How far an upload is."""
        upload = self.state.uploads.get(urn)
        if upload is None or upload.kind != kind:
            raise plain(404, "NOT_FOUND", f"{urn} does not exist")
        if kind != "video" and not self.readable:
            raise plain(403, "ACCESS_DENIED", "Not enough permissions to access: images.GET", 100)
        status = upload.status
        upload.polls = max(0, upload.polls - 1)
        return Answer(200, {"id": urn, "owner": upload.owner, "status": status})

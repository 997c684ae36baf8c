"""A FIDO2 server by somebody else's hand (Python's fido2), to stand behind the gateway in the integration tests.

It knows nothing of passwords and sessions: whoever the header X-User names registers. Prints its port, then serves

  GET  /webauthn/page                      a page that runs ceremonies in a browser
  POST /webauthn/registration/{begin,complete}      for the user that X-User names
  POST /webauthn/authentication/{begin,complete}    for the user whose extId the body names
  GET  /told                                for the test: every request's path, X-User and Authorization
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity

PAGE = b"""<!doctype html><title>keys</title><script>
async function post(path, body) {
  const answer = await fetch('/webauthn/' + path, {method: 'POST', body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(path + ' ' + answer.status);
  return answer.json();
}
async function register() {
  const {publicKey} = await post('registration/begin', {});
  const made = await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey)});
  return post('registration/complete', made.toJSON());
}
async function authenticate(user) {
  const {publicKey} = await post('authentication/begin', {user});
  const made = await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey)});
  return post('authentication/complete', {user, answer: made.toJSON()});
}
</script>"""


class Keys:
    """What the server remembers."""

    def __init__(self):
        # A browser's origin has the port of the gateway, and no certificate is needed on localhost.
        entity = PublicKeyCredentialRpEntity(id="localhost", name="keys")
        self.server = Fido2Server(entity, verify_origin=lambda origin: origin.startswith("http://localhost:"))
        self.credentials, self.states, self.told = {}, {}, []

    def registration_begin(self, user, _):
        entity = PublicKeyCredentialUserEntity(id=user.encode(), name=user, display_name=user)
        options, self.states[user] = self.server.register_begin(entity, self.credentials.get(user, []))
        return dict(options)

    def registration_complete(self, user, body):
        data = self.server.register_complete(self.states.pop(user), body).credential_data
        self.credentials.setdefault(user, []).append(data)
        return {"registered": user}

    def authentication_begin(self, _, body):
        user = body["user"]
        options, self.states[user] = self.server.authenticate_begin(self.credentials[user])
        return dict(options)

    def authentication_complete(self, _, body):
        user = body["user"]
        self.server.authenticate_complete(self.states.pop(user), self.credentials[user], body["answer"])
        return {"authenticated": user}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    keys = None

    def answer(self, body, media="application/json", status=200):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/told":
            return self.answer(json.dumps(self.keys.told).encode())
        return self.answer(PAGE, "text/html")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = self.headers["X-User"]
        self.keys.told.append({"path": self.path, "user": user, "authorization": self.headers["Authorization"]})
        step = self.path.removeprefix("/webauthn/").replace("/", "_")
        try:
            answer, status = getattr(self.keys, step)(user, body), 200
        except Exception as error:
            answer, status = {"error": repr(error)}, 400
        self.answer(json.dumps(answer).encode(), status=status)

    def log_message(self, *_):
        pass


Handler.keys = Keys()
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()

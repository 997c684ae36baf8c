"""An independent JOSE implementation for the integration tests.

Reads one JSON array of commands from stdin, writes one JSON array of results to stdout:

  {"do": "keygen",  "kty": "RSA"|"EC"|"OKP", "size": 2048 | "P-256"...}  -> {"private": JWK, "public": JWK}
  {"do": "sign",    "key": JWK, "header": {"alg": ...}, "payload": text}  -> {"jws": compact}
  {"do": "verify",  "keys": JWK set, "jws": compact}                     -> {"header": {...}, "payload": text}
  {"do": "decrypt", "key": JWK, "jwe": compact}                           -> {"header": {...}, "payload": text}
"""

import json
import sys

from joserfc import jwe, jws
from joserfc.jwk import JWKRegistry, KeySet

SIGNING = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA", "Ed25519"]
ENCRYPTION = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "A256GCM"]


def keygen(command):
    key = JWKRegistry.generate_key(command["kty"], command["size"])
    return {"private": key.as_dict(private=True), "public": key.as_dict(private=False)}


def sign(command):
    key = JWKRegistry.import_key(command["key"])
    return {"jws": jws.serialize_compact(command["header"], command["payload"], key, algorithms=SIGNING)}


def verify(command):
    keys = KeySet.import_key_set(command["keys"])
    opened = jws.deserialize_compact(command["jws"], keys, algorithms=SIGNING)
    return {"header": opened.headers(), "payload": opened.payload.decode()}


def decrypt(command):
    key = JWKRegistry.import_key(command["key"])
    opened = jwe.decrypt_compact(command["jwe"], key, algorithms=ENCRYPTION)
    return {"header": opened.headers(), "payload": opened.plaintext.decode()}


COMMANDS = {"keygen": keygen, "sign": sign, "verify": verify, "decrypt": decrypt}

json.dump([COMMANDS[command["do"]](command) for command in json.load(sys.stdin)], sys.stdout)

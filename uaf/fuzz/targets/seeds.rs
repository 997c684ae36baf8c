//! Writes the corpus: what a server and an authenticator of today say to each other.

#[path = "../../tests/corpus/inputs.rs"]
mod inputs;

use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inputs::{ATTESTED, Server};
use serde_json::{Value, json};
use sidegate_uaf::authenticator::{Authenticator, Hierarchy};
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::wire::{ContentType, Outgoing, Reply, Response, SendUafResponse, Transaction, Versions};
use sidegate_uaf::{Aaid, Algorithm};

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::new(Server::models());
    let ((to_register, _), (to_authenticate, _)) = (&server.registration, &server.authentication);
    let phone = Authenticator::new("D0D0#0001".parse()?);
    let (registration, key) = phone.register(to_register, &[])?;
    let authentication = phone.authenticate(to_authenticate, &mut [key.clone()], &[9; 16])?;
    let attested: Aaid = ATTESTED.parse()?;
    let hierarchy = Hierarchy::of_model(attested, Algorithm::P256Raw)?;
    let root = STANDARD.encode(&hierarchy.root);
    let (full, _) = Authenticator::new(attested).with_attester(hierarchy.attester).register(to_register, &[])?;
    for (name, response) in
        [("registration", &registration), ("registration-full", &full), ("authentication", &authentication)]
    {
        write("assertions", name, response.assertions[0].assertion.as_bytes())?;
        write("messages", &format!("{name}-response"), response.to_message())?;
    }

    let mut confirming = to_authenticate.clone();
    let png = serde_json::from_value(json!({"width": 320, "height": 480, "bitDepth": 8, "colorType": 3,
        "compression": 0, "filter": 0, "interlace": 0, "plte": [{"r": 0, "g": 0, "b": 255}]}))?;
    let picture =
        Transaction { content_type: ContentType::Png, png_characteristics: Some(png), ..Transaction::text("picture")? };
    confirming.transaction = vec![Transaction::text("Pay 42.00 CHF to Carol")?, picture];
    write("messages", "registration-request", Outgoing::new(to_register.clone(), Versions::From1_0).to_message())?;
    write("messages", "authentication-request", Outgoing::new(confirming, Versions::From1_0).to_message())?;
    for (name, what) in [
        ("deregistration-key", Deregistration::Keys(key.key_ref(), vec![])),
        ("deregistration-model", Deregistration::Model(attested)),
        ("deregistration-everything", Deregistration::Everything),
    ] {
        write("messages", name, server.party.deregistration(&what).to_message())?;
    }
    write("messages", "facets", serde_json::to_string(&server.party.facets().document())?)?;
    write("messages", "statement", statement(&root).to_string())?;
    write_envelopes(&phone.deny(to_authenticate)?)
}

fn write_envelopes(denied: &Response) -> Result<(), Box<dyn Error>> {
    let reply = Reply { asm_status_code: Some(3), device_name: Some("phone".into()), ..Reply::default() };
    write("messages", "send-response", serde_json::to_string(&SendUafResponse::new(denied, &reply))?)?;
    write("messages", "reply", serde_json::to_string(&reply)?)?;
    for (name, envelope) in [
        ("get-request", json!({"op": "Reg", "previousRequest": "[]", "context": "{}"})),
        ("return-request", json!({"statusCode": 1200, "uafRequest": "[]", "op": "Auth", "lifetimeMillis": 120_000})),
        (
            "server-response",
            json!({"statusCode": 1200, "description": "OK", "additionalTokens": [{"type": "JWT", "value": "a.b.c"}],
                "location": "https://uaf.example/", "postData": "a=b", "newUAFRequest": "[]"}),
        ),
        (
            "policy",
            json!({"accepted": [[{"aaid": ["D0D0#0001"], "keyIDs": ["A".repeat(43)], "attachmentHint": 1}],
                [{"vendorID": ["D0D0"], "userVerification": 1026, "keyProtection": 6, "matcherProtection": 2, "tcDisplay": 1,
                  "authenticationAlgorithms": [1, 2], "assertionSchemes": ["UAFV1TLV"], "attestationTypes": [15879, 15880],
                  "authenticatorVersion": 1, "exts": [{"id": "x", "data": "", "fail_if_unknown": false}]}]],
                "disallowed": [{"aaid": ["FFFF#0001"]}]}),
        ),
    ] {
        write("messages", name, envelope.to_string())?;
    }
    Ok(())
}

fn statement(root: &str) -> Value {
    json!({
        "aaid": ATTESTED, "authenticatorVersion": 1, "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1,
        "publicKeyAlgAndEncoding": 256, "upv": [{"major": 1, "minor": 1}], "attestationTypes": [15879],
        "attestationRootCertificates": [root], "userVerificationDetails": [[{"userVerification": 2}]],
        "keyProtection": 2, "matcherProtection": 2, "attachmentHint": 1, "tcDisplay": 1,
        "tcDisplayContentType": "text/plain", "isSecondFactorOnly": "false",
    })
}

fn write(folder: &str, name: &str, content: impl AsRef<[u8]>) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").join(folder);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), content)?)
}

//! The TLS channel that a phone saw (`uaf.md` A2, A7).

use serde_json::json;
use sidegate_uaf::encoding::{Text, decode, encode};
use sidegate_uaf::wire::ChannelBinding;

use crate::support::gateway::Setup;
use crate::support::phone::Phone;

/// DER of the only certificate in a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let standard: String = lines.collect();
    decode(standard.trim_end_matches('=').replace('+', "-").replace('/', "_").as_str()).unwrap()
}

fn certificate(der: &[u8]) -> ChannelBinding {
    ChannelBinding { tls_server_certificate: Some(Text::new(encode(der)).unwrap()), ..ChannelBinding::default() }
}

fn end_point(der: &[u8]) -> ChannelBinding {
    let hash = encode(&sidegate::jose::sha256(der));
    ChannelBinding { server_end_point: Some(Text::new(hash).unwrap()), ..ChannelBinding::default() }
}

#[tokio::test]
async fn a_phone_that_saw_another_certificate_is_refused() {
    // One of them has no serverEndPoint, which must not let any pass.
    let ed25519 = concat!(env!("CARGO_MANIFEST_DIR"), "/src/jose/server_certificate/ed25519.pem");
    let certificates = format!("  tls-certificates: [CERTS/ca.pem, '{ed25519}']");
    let setup = Setup::default().user("jeff").tls().under("fido-uaf", certificates);
    let gateway = setup.start().await;
    let pem = |name: &str| std::fs::read_to_string(gateway.data().parent().unwrap().join("certs").join(name)).unwrap();
    let (own, front, other) = (der(&pem("server.pem")), der(&pem("ca.pem")), der(&pem("client.pem")));
    let without_hash = der(&std::fs::read_to_string(ed25519).unwrap());
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let answer = async |channel: ChannelBinding| {
        let request = json!({"context": json!({"username": "jeff"}).to_string()});
        let handed_out = phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
        let body = json!({"uafResponse": phone.registration_over(&handed_out, channel)});
        gateway.public_tls().uaf("/nevisfido/uaf/1.1/registration", &body).await
    };
    let both = ChannelBinding { server_end_point: end_point(&own).server_end_point, ..certificate(&own) };
    let unknown = ChannelBinding { tls_unique: Some(Text::new("AAAA").unwrap()), ..ChannelBinding::default() };
    for good in [
        ChannelBinding::default(),
        unknown,
        certificate(&own),
        end_point(&own),
        both,
        certificate(&front),
        end_point(&front),
        certificate(&without_hash),
    ] {
        answer(good).await.uaf_code(1200);
    }
    let mixed = ChannelBinding { server_end_point: end_point(&front).server_end_point, ..certificate(&own) };
    for bad in [certificate(&other), end_point(&other), end_point(&without_hash), mixed] {
        answer(bad).await.uaf_code(1490);
    }
}

#[tokio::test]
async fn where_no_certificate_is_known_nothing_is_compared() {
    let gateway = Setup::default().user("jeff").start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let request = json!({"context": json!({"username": "jeff"}).to_string()});
    let handed_out = phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
    let body = json!({"uafResponse": phone.registration_over(&handed_out, certificate(b"whatever"))});
    gateway.public().uaf("/nevisfido/uaf/1.1/registration", &body).await.uaf_code(1200);
}

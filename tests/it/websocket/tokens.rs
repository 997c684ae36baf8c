//! WebSockets that were opened by tokens of an issuer, of users and of internal callers.

use rstest::rstest;
use serde_json::json;

use super::reconfigured::opened;
use super::{Echo, closed, logged, ping};
use crate::jwt::realm;
use crate::support::gateway::Setup;
use crate::support::issuer::{Issuer, now};
use crate::support::jose::SigningKey;
use crate::support::logs::audited;
use crate::support::raw::Socket;
use crate::support::secrets::Secrets;

/// Seconds that a token is good for: time enough to open a WebSocket with it.
const GOOD: u64 = 8;

/// The row lets the token pass before and after: what its server was told is no longer so.
#[rstest]
#[case::level("level: 7", "level: 6")]
#[case::roles("roles: staff", "roles: other")]
#[case::user("user: sub", "user: mail")]
#[tokio::test(flavor = "multi_thread")]
async fn one_is_closed_whose_token_is_worth_less_now_or_another_users(#[case] from: &str, #[case] to: &str) {
    let (echo, issuer) = (Echo::start(), Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let of_issuer = "        roles: staff\n        user: sub\n";
    let rows = format!(
        "upstreams:\n  app: {{url: 'http://{}'}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [customers], upstream: app, websocket: {{origins: [none]}}}}\n",
        echo.address
    );
    let gateway =
        Setup::default().under("realms", realm(&issuer, "    level: 7\n", of_issuer)).append(rows).start().await;
    let all = issuer.token(&json!({"staff": ["boss", "night"], "other": ["night"], "mail": "e-2"}));
    let none = issuer.token(&json!({"mail": "e-1", "other": ["night"]}));
    let [mut less, mut same] = [all, none].map(|token| {
        let socket = Socket::plain(gateway.address("public"));
        opened(socket, "/feed/a", &[("Authorization", format!("Bearer {token}").as_str())])
    });
    ping(&mut less, b"as it was");
    gateway.reconfigure(from, to);
    gateway.reloaded("done", 1).await;
    closed(&mut less).await;
    logged(&gateway, "its handshake would be refused now").await;
    if from.starts_with("level") {
        return closed(&mut same).await;
    }
    ping(&mut same, b"it is worth as much");
}

/// Its server of keys answers while the sockets are waited for.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_token_opened_ends_with_it() {
    let (echo, issuer) = (Echo::start(), Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let caller = format!(
        "  shop:\n    roles: [act-for]\n    jwt: {{issuer: \"{0}\", audience: callers, algorithms: [ES256], \
         jwks: \"{0}\", subject: s-shop}}\n",
        issuer.url()
    );
    let rows = format!(
        "upstreams:\n  app: {{url: 'http://{}'}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 services: {{type: identity-creation, domain: main, level: 2, internal-callers: anybody}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: [customers], upstream: app, websocket: {{origins: [none]}}}}\n\
         \x20 - {{name: calls, path: /calls/*, methods: [GET], on: [internal], filters: [services], upstream: app, websocket: {{origins: [none]}}}}\n",
        echo.address
    );
    let setup = Setup::default().under("realms", realm(&issuer, "", "")).under("internal-callers", caller);
    let gateway = setup.append(rows).start().await;
    let cases = [
        ("public", "/feed/a", "gate", "e-1", "login-failed"),
        ("internal", "/calls/a", "callers", "s-shop", "internal-caller-refused"),
    ];
    for (listener, path, audience, subject, line) in cases {
        let token = issuer.token(&json!({"aud": audience, "sub": subject, "exp": now() + GOOD}));
        let lasting = issuer.token(&json!({"aud": audience, "sub": subject}));
        let [mut ends, mut stays] = [token, lasting].map(|token| {
            let socket = Socket::plain(gateway.address(listener));
            opened(socket, path, &[("Authorization", format!("Bearer {token}").as_str())])
        });
        ping(&mut ends, b"as it was");
        closed(&mut ends).await;
        logged(&gateway, "its session has ended").await;
        ping(&mut stays, b"as it was");
        let audited = audited(&gateway, line);
        assert!(audited.iter().any(|line| line["address"] == "127.0.0.1"), "{audited:?}");
    }
}

//! Users whose passwords another system hashed.

use std::io::Write as _;

use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::wait;

const KINDS: [&str; 2] = ["v=19,m=19456,t=2,p=1", "v=19,m=1024,t=3,p=4"];

/// Adds a line to the users of a running gateway.
fn import(gateway: &Gateway, line: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(gateway.data().join("users")).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

async fn login(gateway: &Gateway, name: &str, password: &str) -> Answer {
    gateway.public().post("/auth/pwd").form(&[("isiwebuserid", name), ("isiwebpasswd", password)]).send().await
}

/// How many of each kind were computed.
async fn hashed(gateway: &Gateway) -> [u64; 2] {
    let counters = KINDS.map(|kind| format!("sidegate_password_hashes_total{{parameters=\"{kind}\"}}"));
    let [ours, imported] = counters.each_ref().map(|counter| gateway.metric(counter));
    [ours.await, imported.await]
}

#[tokio::test]
async fn an_imported_user_logs_in_and_each_login_is_the_same_work() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 3, 4, None).unwrap());
    let salt = SaltString::encode_b64(b"salt of another system").unwrap();
    let hash = hasher.hash_password(b"a password from elsewhere", &salt).unwrap().to_string();
    import(&gateway, &format!("ann:00000000-0000-4000-8000-000000000001:{hash}"));
    let mut before = hashed(&gateway).await;
    for (name, password, status) in [
        ("ann", "a password from elsewhere", 200),
        ("jeff", gateway.password("jeff"), 200),
        ("ann", "a guess", 401),
        ("jeff", "a guess", 401),
        ("nobody", "a guess", 401),
    ] {
        login(&gateway, name, password).await.expect(status);
        let now = hashed(&gateway).await;
        assert_eq!(now, before.map(|count| count + 1), "{name}, {status}");
        before = now;
    }
}

#[tokio::test]
async fn a_hash_that_asks_for_too_much_is_told_with_its_line() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    import(&gateway, "ann:1:$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo");
    login(&gateway, "jeff", gateway.password("jeff")).await.problem(503);
    let line = std::fs::read_to_string(gateway.data().join("users")).unwrap().lines().count();
    let told = format!("line {line}: checking the hash takes too much: memory may be m=262144 at most");
    wait::until(&told, wait::BOUND, async || gateway.log().contains(&told).then_some(())).await;
}

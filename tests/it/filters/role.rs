//! `role`: 403 for whoever lacks it, and no login again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::shop;
use crate::jwt::realm;
use crate::support::gateway::Gateway;
use crate::support::http::HTML;
use crate::support::issuer::Issuer;
use crate::support::jose::SigningKey;
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;

const FILTERS: &str = "  known: {type: identity-creation, domain: main, internal-callers: anybody}
  guests: {type: identity-creation, domain: main, open: true}
  staff: {type: role, one-of: [staff, boss], internal-callers: admin}
  zurich: {type: role, all-of: [staff, zurich]}
  told: {type: delegation, rules: ['AUTH:user.auth.Roles:X-Roles', 'AUTH:user.auth.SecToken:Authorization']}
";

async fn gateway(upstream: &Upstream, issuer: &Issuer) -> Gateway {
    let rows = [("staff", "known, staff, told"), ("zurich", "known, staff, zurich"), ("guests", "guests, staff")];
    shop(upstream, FILTERS, &rows).under("realms", realm(issuer, "", "")).user("jeff").start().await
}

#[tokio::test]
async fn roles_of_a_token_decide_row_by_row() {
    let (upstream, issuer) = (Upstream::start().await, Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let gateway = gateway(&upstream, &issuer).await;
    for (roles, staff, zurich) in [
        (vec!["boss"], 200, 403),
        (vec!["zurich", "staff"], 200, 200),
        (vec!["zurich"], 403, 403),
        (vec!["Staff", "staffer", "staff boss"], 403, 403),
        (vec![], 403, 403),
    ] {
        let token = issuer.token(&json!({"roles": roles}));
        for client in [gateway.public().bearer(&token), gateway.public_http2().bearer(&token)] {
            assert_eq!(client.get("/staff/a").send().await.status, staff, "{roles:?}");
            assert_eq!(client.get("/zurich/a").send().await.status, zurich, "{roles:?}");
        }
    }
    assert_eq!(upstream.heads().len(), 6, "nothing of those refused got there");
    // An internal caller with every role, for a row that takes internal callers and one that does not.
    gateway.internal().get("/staff/a").send().await.expect(200);
    gateway.internal().get("/zurich/a").send().await.problem(403);
}

#[tokio::test]
async fn roles_of_a_user_decide_at_each_look_however_the_user_logged_in() {
    let (upstream, issuer) = (Upstream::start().await, Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let gateway = gateway(&upstream, &issuer).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let answer = phone.try_login_uaf().await.uaf_code(1200);
    let carried = gateway.public().bearer(answer["additionalTokens"][0]["value"].as_str().unwrap());
    let cookie = gateway.public().cookie(phone.session());
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let password = gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session();
    let password = gateway.public().cookie(&password);
    let give = |roles: &[&str]| {
        let flags: Vec<&str> = roles.iter().flat_map(|role| ["--role", *role]).collect();
        let output = gateway.command(&[&["user", "roles", "jeff"][..], &flags].concat(), "");
        assert!(output.status.success(), "{output:?}");
    };
    for (roles, staff, zurich) in [
        (&["boss"][..], 200, 403),
        (&["zurich", "staff"], 200, 200),
        (&["zurich"], 403, 403),
        (&["Staff", "staffer"], 403, 403),
        (&[], 403, 403),
        (&["staff"], 200, 403),
    ] {
        give(roles);
        for client in [&carried, &cookie, &password] {
            assert_eq!(client.get("/staff/a").send().await.status, staff, "{roles:?}");
            assert_eq!(client.get("/zurich/a").send().await.status, zurich, "{roles:?}");
        }
    }
    let told = upstream.received().pop().unwrap();
    assert_eq!(told.values("x-roles"), ["staff"]);
    let token = told.values("authorization")[0].split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
    assert_eq!(claims["roles"], json!(["staff"]));
}

#[tokio::test]
async fn a_browser_without_the_role_reads_a_page_and_is_not_asked_to_log_in_again() {
    let (upstream, issuer) = (Upstream::start().await, Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await);
    let gateway = gateway(&upstream, &issuer).await;
    let login = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let cookie = gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session();
    let jeff = gateway.public().cookie(&cookie);
    let page = jeff.get("/staff/a").header(HTML.0, HTML.1).send().await.expect(403);
    assert!(page.text().contains("jeff") && page.text().contains("/auth/logout"), "{}", page.text());
    assert!(!page.text().contains("isiwebpasswd"), "{}", page.text());
    assert_eq!((page.header("www-authenticate"), page.header("location")), (None, None));
    assert_eq!(page.set_cookie(), None, "the session stays");
    jeff.get("/staff/a").send().await.problem(403);
    let nobody = gateway.public().get("/guests/a").header(HTML.0, HTML.1).send().await.expect(403);
    assert!(!nobody.text().contains("<form"), "{}", nobody.text());
    gateway.public().get("/guests/a").send().await.problem(403);
    assert!(upstream.heads().is_empty());
}

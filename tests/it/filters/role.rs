//! `role`: 403 for whoever lacks it, and no login again.

use serde_json::json;

use super::shop;
use crate::jwt::realm;
use crate::support::gateway::Gateway;
use crate::support::http::HTML;
use crate::support::issuer::Issuer;
use crate::support::jose::SigningKey;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;

const FILTERS: &str = "  known: {type: identity-creation, domain: main, internal-callers: anybody}
  guests: {type: identity-creation, domain: main, open: true}
  staff: {type: role, one-of: [staff, boss], internal-callers: admin}
  zurich: {type: role, all-of: [staff, zurich]}
";

async fn gateway(upstream: &Upstream, issuer: &Issuer) -> Gateway {
    let rows = [("staff", "known, staff"), ("zurich", "known, staff, zurich"), ("guests", "guests, staff")];
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

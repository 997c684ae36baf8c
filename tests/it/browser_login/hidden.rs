//! A stranger does not learn from a login by phone who exists or has a key (`http-api.md` 0.4).

use serde_json::json;

use crate::support::approvals::{Bank, open_link};
use crate::support::gateway::Setup;
use crate::support::http::Answer;
use crate::support::phone::Phone;

/// What an answer looks like: status, headers with their lengths, and the page without what differs each time.
fn shape(answer: &Answer) -> String {
    let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.len())).collect();
    headers.sort();
    let mut page = answer.text();
    for before in ["dispatchTokenResponse=", "name=\"return\" value=\""] {
        if let Some((start, rest)) = page.split_once(before) {
            let (secret, end) = rest.split_once('"').unwrap();
            page = format!("{start}{before}{} bytes{end}", secret.len());
        }
    }
    format!("{} {headers:?} {page}", answer.status)
}

async fn transcript(bank: &Bank, forger: &Phone, name: &str) -> Vec<String> {
    let (mut browser, mut seen) = (bank.browser(), Vec::new());
    for denied in [false, true] {
        seen.push(shape(&browser.ask("/bank/a", Some(name)).await.expect(303)));
        let link = browser.link().await;
        seen.push(shape(&browser.get("/auth/oob").await));
        let handed_out = open_link(&bank.gateway, &link).await;
        seen.push(shape(&browser.get("/auth/oob").await));
        let answer = if denied {
            forger.deny(&handed_out, &json!({"asmStatusCode": 3})).await
        } else {
            forger.post_authentication(&forger.forgery(&handed_out)).await
        };
        seen.push(answer.text());
        seen.push(shape(&browser.get("/auth/oob").await.expect(401)));
    }
    seen
}

#[tokio::test]
async fn who_has_a_key_who_has_none_and_who_is_not_there_look_alike() {
    let setup = Setup::default().under("fido-uaf", "  decoy-models: [5347#0001]\n").user("nora");
    let bank = Bank::with(setup, "").await;
    Phone::enrolled(&bank.gateway, "jeff").await;
    let forger = Phone::enrolled(&bank.gateway, "eve").await;
    let real = transcript(&bank, &forger, "jeff").await;
    for name in ["nora", "dora"] {
        assert_eq!(transcript(&bank, &forger, name).await, real, "{name}");
    }
}

#[tokio::test]
async fn where_nobody_is_hidden_the_form_says_who_is_not_there() {
    let bank = Bank::with(Setup::default().under("fido-uaf", "  hide-users: false\n"), "").await;
    let mut browser = bank.browser();
    let page = browser.ask("/bank/a", Some("dora")).await.expect(401).text();
    assert!(page.contains("no user of this name") && browser.login_cookie().is_none(), "{page}");
}

//! Fifty requests of one browser while its session is raised by the phone (`gateway.md` 3.2).

use futures::future::join_all;

use crate::support::approvals::{Bank, Visitor, approve};
use crate::support::http::Answer;
use crate::support::phone::Phone;

const CROWD: usize = 50;

/// The answers to as many requests at once for what needs a password alone.
async fn crowd(browser: &Visitor) -> Vec<Answer> {
    join_all((0..CROWD).map(|_| browser.client().get("/bank/a").send())).await
}

/// What the bank was told of all requests since it last forgot: each session once, each level once.
fn told(bank: &Bank) -> (Vec<String>, Vec<String>) {
    let received = bank.upstream.received();
    let of = |name: &str| {
        let mut values: Vec<_> = received.iter().map(|one| one.values(name)[0].to_owned()).collect();
        values.sort();
        values.dedup();
        values
    };
    (of("x-sid"), of("x-level"))
}

#[tokio::test]
async fn a_step_up_by_the_phone_spoils_no_request_beside_it() {
    for (renew, levels) in [("true", &["1"][..]), ("false", &["1", "2"])] {
        let bank = Bank::open(&format!(", renew: {renew}")).await;
        let phone = Phone::enrolled(&bank.gateway, "jeff").await;
        let mut browser = bank.browser();
        browser.log_in(&bank.gateway, "jeff").await;
        let link = browser.asks("/pay/x", None).await;
        approve(&bank.gateway, &phone, &link).await;
        let before = browser.clone();
        browser.get("/bank/a").await.expect(200);
        let sid = bank.told().0;
        bank.upstream.forget();
        let (beside, raised) = tokio::join!(crowd(&before), browser.get("/auth/oob"));
        assert_eq!(raised.expect(303).header("location"), Some("/pay/x"));
        for answer in beside {
            assert!(answer.expect(200).set_cookie().is_none());
        }
        let (sids, seen) = told(&bank);
        assert!(sids == [&*sid], "one session all the time: {sids:?}");
        assert!(!seen.is_empty() && seen.iter().all(|level| levels.contains(&level.as_str())), "{seen:?}");
        bank.upstream.forget();
        for answer in crowd(&browser).await {
            assert!(answer.expect(200).set_cookie().is_none());
        }
        assert_eq!(told(&bank), (vec![sid], vec!["2".to_owned()]));
        browser.get("/pay/x").await.expect(200);
    }
}

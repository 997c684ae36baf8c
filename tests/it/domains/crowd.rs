//! Parallel requests of one browser while it logs in to both domains.

use tokio::task::JoinSet;

use super::{House, MAIN, PARTNERS, SIDES, Side};
use crate::support::http::{Answer, Client};

const CROWD: usize = 50;

/// The answers to as many requests at once for a page.
fn crowd(client: &Client, side: Side) -> JoinSet<Answer> {
    (0..CROWD).map(|_| client.get(side.page).send()).collect()
}

async fn log_in(house: &House, client: &Client, side: Side) -> Answer {
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", house.gateway.password("jeff"))];
    client.post(&side.at("pwd")).form(&form).send().await.expect(200)
}

#[tokio::test]
async fn while_one_logs_in_to_both_nobody_else_gets_a_session() {
    let house = House::open().await;
    let client = house.gateway.public();
    let (bank, deals, main, partners) = tokio::join!(
        crowd(&client, MAIN).join_all(),
        crowd(&client, PARTNERS).join_all(),
        log_in(&house, &client, MAIN),
        log_in(&house, &client, PARTNERS),
    );
    for answer in bank.into_iter().chain(deals) {
        assert!(answer.set_cookie().is_none());
        answer.problem(401);
    }
    let (main, partners) = (main.session(), partners.session());
    assert!(main.starts_with(MAIN.cookie) && partners.starts_with(PARTNERS.cookie));
    let both = client.cookie(&format!("{main}; {partners}"));
    let (bank, deals) = tokio::join!(crowd(&both, MAIN).join_all(), crowd(&both, PARTNERS).join_all());
    for answer in bank.into_iter().chain(deals) {
        assert!(answer.expect(200).set_cookie().is_none());
    }
}

#[tokio::test]
async fn while_one_logs_in_anew_here_the_session_there_is_not_disturbed() {
    let house = House::open().await;
    for (here, there) in SIDES {
        let both = house.in_both("jeff").await.client();
        house.upstream.forget();
        let (answers, again) = tokio::join!(crowd(&both, there).join_all(), log_in(&house, &both, here));
        assert!(again.session().starts_with(&here.with("")));
        for answer in answers {
            assert!(answer.expect(200).set_cookie().is_none());
        }
        let mut seen: Vec<_> = house.upstream.received().iter().map(|one| one.values("x-session").join(",")).collect();
        seen.dedup();
        assert_eq!(seen.len(), 1, "one session all the time");
    }
}

//! Answers that are sent at the same time: what is good once is taken once.

use serde_json::Value;

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::oob::{by_link, dispatched, redeem, status};
use crate::support::phone::Phone;

const ROUNDS: usize = 8;

async fn handed_out(client: &Client) -> (Value, String) {
    let operation = dispatched(client, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(client, "authentication", &operation.token).await.uaf_code(1200);
    (handed_out, operation.session_id)
}

/// Sends both at once, and gives the codes, smaller first.
async fn codes_of(phone: &Phone, answers: [&str; 2]) -> [u64; 2] {
    let [first, second] = answers.map(|answer| phone.post_authentication(answer));
    let (first, second) = tokio::join!(first, second);
    let mut codes = [first, second].map(|answer| answer.expect(200).json()["statusCode"].as_u64().unwrap());
    codes.sort_unstable();
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_answers_to_one_challenge_one_counts() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    for _ in 0..ROUNDS {
        let (handed_out, session_id) = handed_out(&client).await;
        let copy = phone.clone_authenticator();
        assert_eq!(codes_of(&phone, [&copy.answer(&handed_out), &phone.assertion(&handed_out)]).await, [1200, 1491]);
        assert_eq!(status(&client, &session_id).await["status"], "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_answers_with_one_counter_one_counts() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    for _ in 0..ROUNDS {
        let (first, first_session) = handed_out(&client).await;
        let (second, second_session) = handed_out(&client).await;
        let copy = phone.clone_authenticator();
        assert_eq!(codes_of(&phone, [&copy.answer(&first), &phone.assertion(&second)]).await, [1200, 1498]);
        let mut ends = Vec::new();
        for session in [first_session, second_session] {
            ends.push(status(&client, &session).await["status"].as_str().unwrap().to_owned());
        }
        ends.sort_unstable();
        assert_eq!(ends, ["failed", "succeeded"]);
    }
}

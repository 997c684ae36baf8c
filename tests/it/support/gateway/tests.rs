//! The harness itself.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Whatever a test registers is searched for at the end, and nobody can forget to.
#[tokio::test]
async fn a_secret_in_the_log_fails_the_test_that_made_it() {
    let gateway = Gateway::standalone(&[]).await;
    let answer = gateway.public().get("/nowhere").send().await;
    gateway.secrets().add("planted", answer.header("x-request-id").unwrap());
    let end = catch_unwind(AssertUnwindSafe(|| drop(gateway)));
    let told = *end.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("secrets in the log") && told.contains("planted"), "{told}");
}

/// Else the search would miss the lines below `info`.
#[tokio::test]
async fn the_searched_log_has_every_level_of_our_own() {
    let gateway = Gateway::standalone(&[]).await;
    let forged = [("isiwebuserid", "jeff"), ("isiwebpasswd", "x"), ("return", "forged")];
    let form = gateway.public().post("/auth/pwd").form(&forged).header("sec-fetch-site", "same-origin");
    form.header("accept", "text/html").send().await.expect(400);
    wait::until("a line for whoever looks into a problem", wait::BOUND, async || {
        gateway.log().contains(r#""level":"DEBUG""#).then_some(())
    })
    .await;
}

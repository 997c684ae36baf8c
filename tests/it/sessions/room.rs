//! Sessions without room for another one (`gateway.md` 5).

use http::Method;

use super::{is_alive, login};
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::wait;

/// More logins of one user than there is room for.
const MANY: usize = 8;

async fn narrow() -> Gateway {
    Setup::default().append("limits: {sessions: 100KiB}\n").user("jeff").user("eve").start().await
}

/// The cookies of that many logins.
async fn many(gateway: &Gateway, client: &Client) -> Vec<String> {
    let mut cookies = Vec::new();
    for _ in 0..MANY {
        cookies.push(login(client, "jeff", gateway.password("jeff")).await.expect(200).session());
    }
    cookies
}

#[tokio::test]
async fn a_login_without_room_ends_the_longest_unused_session_of_its_own_user() {
    let gateway = narrow().await;
    let client = gateway.public();
    let eve = login(&client, "eve", gateway.password("eve")).await.session();
    let jeffs = many(&gateway, &client).await;
    assert!(!is_alive(&client, &jeffs[0]).await, "it gave way");
    assert!(is_alive(&client, &jeffs[MANY - 1]).await && is_alive(&client, &eve).await);
}

#[tokio::test]
async fn who_filled_a_users_share_keeps_the_user_out_neither_after_an_end_of_all_nor_after_another_password() {
    let gateway = narrow().await;
    let client = gateway.public();
    let thiefs = many(&gateway, &client).await;
    gateway.internal().call(Method::DELETE, "/nevisfido/admin/sessions?username=jeff").send().await.expect(204);
    assert!(!is_alive(&client, &thiefs[MANY - 1]).await);
    let thiefs = many(&gateway, &client).await;
    let changed = gateway.command(&["user", "passwd", "jeff", "--password-stdin"], "correct horse battery\n");
    assert!(changed.status.success());
    let own = wait::until("the new password is good", wait::BOUND, async || {
        Some(login(&client, "jeff", "correct horse battery").await).filter(|answer| answer.status == 200)
    })
    .await;
    assert!(is_alive(&client, &own.session()).await && !is_alive(&client, &thiefs[MANY - 1]).await);
}

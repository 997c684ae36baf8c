//! Sessions (`gateway.md` 3.2) and the login endpoints (`http-api.md` 7).

mod carried;
mod crowd;
mod room;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, HTML, UAF};
use crate::support::oob::{asked, by_link_to, dispatch};
use crate::support::phone::Phone;
use crate::support::wait;

const PASSWORD: &str = "/auth/pwd";

async fn login(client: &Client, name: &str, password: &str) -> Answer {
    client.post(PASSWORD).form(&[("isiwebuserid", name), ("isiwebpasswd", password)]).send().await
}

/// Whether a session cookie still opens a protected call.
async fn is_alive(client: &Client, cookie: &str) -> bool {
    let answer = client.cookie(cookie).uaf("/nevisfido/uaf/1.1/request/registration", &json!({"context": "{}"})).await;
    assert!([200, 401].contains(&answer.status), "{}", answer.text());
    answer.status == 200
}

fn flags(answer: &Answer) -> Vec<String> {
    let mut flags: Vec<_> =
        answer.header("set-cookie").unwrap().split("; ").skip(1).map(str::to_ascii_lowercase).collect();
    flags.sort();
    flags
}

#[tokio::test]
async fn a_password_login_answers_with_the_ext_id_and_a_cookie() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let answer = login(&client, "jeff", gateway.password("jeff")).await.expect(200);
    assert_eq!(answer.json()["status"], "succeeded");
    assert!(answer.json()["extId"].as_str().is_some_and(|id| !id.is_empty() && id != "jeff"));
    let cookie = answer.session();
    let (name, value) = cookie.split_once('=').unwrap();
    assert_eq!(name, "sidegate-main");
    assert!(value.len() >= 43, "256 bits need 43 characters");
    assert_eq!(flags(&answer), ["httponly", "path=/", "samesite=lax"]);
    assert!(is_alive(&client, &cookie).await);
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let gateway = Setup::default().user("jeff").tls().start().await;
    let answer = login(&gateway.public_tls_http2(), "jeff", gateway.password("jeff")).await.expect(200);
    assert!(answer.session().starts_with("__Host-sidegate-main="));
    assert_eq!(flags(&answer), ["httponly", "path=/", "samesite=lax", "secure"]);
    assert!(is_alive(&gateway.public_tls_http2(), &answer.session()).await);
}

#[tokio::test]
async fn nothing_but_success_makes_a_session() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let page = client.get("/auth/login").header(HTML.0, HTML.1).send().await.expect(200);
    assert!(page.set_cookie().is_none());
    let begun = client.json("/auth/fidouaf", &json!({"username": "jeff"})).await;
    assert!(begun.set_cookie().is_none());
    let finish = json!({"uafResponse": "[]"});
    assert!(client.uaf("/auth/fidouaf/authenticationresponse", &finish).await.set_cookie().is_none());

    let wrong = login(&client, "jeff", "not the password").await;
    let unknown = login(&client, "ghost", "not the password").await;
    assert!(wrong.set_cookie().is_none() && unknown.set_cookie().is_none());
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.problem(401), unknown.problem(401));
}

#[tokio::test]
async fn an_id_that_the_client_brought_is_never_upgraded() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let planted = "sidegate-main=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = login(&gateway.public().cookie(planted), "jeff", gateway.password("jeff")).await.expect(200);
    assert_ne!(answer.session(), planted);
    assert!(!is_alive(&gateway.public(), planted).await);
    assert!(is_alive(&gateway.public(), &answer.session()).await);
}

#[tokio::test]
async fn a_tossed_cookie_does_not_replace_the_session() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let client = gateway.public();
    let jeff = login(&client, "jeff", gateway.password("jeff")).await.session();
    let eve = login(&client, "eve", gateway.password("eve")).await.session();
    for both in [format!("{eve}; {jeff}"), format!("{jeff}; {eve}")] {
        let answer =
            client.cookie(&both).uaf("/nevisfido/uaf/1.1/request/registration", &json!({"context": "{}"})).await;
        // Two sessions at once belong to nobody: which of them the browser means can't be told.
        answer.problem(400);
    }
    assert!(is_alive(&client, &jeff).await && is_alive(&client, &eve).await);
}

#[tokio::test]
async fn a_fido_login_raises_the_session_and_keeps_its_cookie() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    phone.register().await;
    let before = phone.session().to_owned();
    let target = json!({"name": "n", "dispatcher": "link", "signatureKey": phone.signing.public(),
        "encryptionKey": phone.encryption.public()});
    let path = "/nevisfido/token/dispatch/targets";
    phone.client().json(path, &target).await.problem(401);
    let answer = phone.try_login_uaf().await;
    if let Some(cookie) = answer.set_cookie() {
        assert_eq!(cookie, before);
    }
    answer.uaf_code(1200);
    gateway.public().cookie(&before).json(path, &target).await.expect(201);
}

/// A gateway whose step-ups give a session a new id, and a phone with a key and a session by password.
async fn renewing() -> (Gateway, Phone) {
    let gateway = Setup::default().replace("renew: false", "renew: true ").user("jeff").start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    phone.register().await;
    (gateway, phone)
}

#[tokio::test]
async fn with_renew_a_step_up_gives_a_new_id_and_the_old_one_learns_nothing() {
    let (gateway, phone) = renewing().await;
    let before = phone.session().to_owned();
    let after = phone.try_login_uaf().await.session();
    assert_ne!(before, after);
    let path = "/nevisfido/token/dispatch/targets";
    gateway.public().cookie(&before).json(path, &json!({"name": "n"})).await.problem(401);
    wait::until("the old id is gone", wait::BOUND, async || {
        (!is_alive(&gateway.public(), &before).await).then_some(())
    })
    .await;
    assert!(is_alive(&gateway.public(), &after).await);
}

/// For so long an id lives on that a step-up replaced.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn with_renew_the_old_id_goes_on_for_requests_under_way_and_then_ends() {
    let (gateway, mut phone) = renewing().await;
    let replaced = loop {
        let (begun, before) = (Instant::now(), phone.session().to_owned());
        phone.login_uaf().await;
        assert_ne!(phone.session(), before);
        if is_alive(&gateway.public(), &before).await {
            break before;
        }
        // Where the machine was too slow to ask in time, nothing is known: once more.
        assert!(begun.elapsed() > GRACE, "it ended at once");
    };
    let ended = async || (!is_alive(&gateway.public(), &replaced).await).then_some(());
    wait::until("the old id ends although it is used", 4 * GRACE, ended).await;
    assert!(is_alive(&gateway.public(), phone.session()).await);
}

#[tokio::test]
async fn a_first_fido_login_makes_a_session_of_its_own() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let old = phone.session().to_owned();
    phone.forget_session();
    phone.login_uaf().await;
    assert_ne!(phone.session(), old);
    assert!(is_alive(&gateway.public(), phone.session()).await && is_alive(&gateway.public(), &old).await);
}

#[tokio::test]
async fn a_fido_login_without_a_name_is_the_key_owners() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let (jeff, _eve) = (Phone::enrolled(&gateway, "jeff").await, Phone::enrolled(&gateway, "eve").await);
    let client = gateway.public();
    let begun = client.json("/auth/fidouaf", &json!({})).await.uaf_code(1200);
    let finish = json!({"uafResponse": jeff.assertion(&begun)});
    let answer = client.uaf("/auth/authenticationresponse", &finish).await;
    let as_jeff = client.cookie(&answer.session());
    answer.uaf_code(1200);
    let named = |name: &str| json!({"context": json!({"username": name}).to_string()});
    let path = "/nevisfido/uaf/1.1/request/deregistration";
    as_jeff.uaf(path, &named("eve")).await.problem(403);
    as_jeff.uaf(path, &named("jeff")).await.uaf_code(1200);
}

#[tokio::test]
async fn a_login_as_another_user_ends_the_old_session() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let client = gateway.public();
    let jeff = login(&client, "jeff", gateway.password("jeff")).await.session();
    let eve = login(&client.cookie(&jeff), "eve", gateway.password("eve")).await.session();
    assert_ne!(jeff, eve);
    assert!(!is_alive(&client, &jeff).await);
    assert!(is_alive(&client, &eve).await);
}

#[tokio::test]
async fn logout_ends_the_session_and_clears_the_cookie() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let cookie = login(&client, "jeff", gateway.password("jeff")).await.session();
    client.cookie(&cookie).get("/auth/logout").header(HTML.0, HTML.1).send().await.expect(200);
    assert!(is_alive(&client, &cookie).await, "GET only asks");
    let answer = client.cookie(&cookie).post("/auth/logout").send().await;
    assert!(answer.status < 400, "{}", answer.text());
    assert_eq!(answer.set_cookie().as_deref(), Some("sidegate-main="));
    assert!(flags(&answer).contains(&"max-age=0".to_owned()), "{:?}", flags(&answer));
    assert!(!is_alive(&client, &cookie).await);
}

#[tokio::test]
async fn the_cookie_of_an_ended_session_is_cleared_and_does_not_stand_in_the_way_of_a_login() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let cookie = login(&client, "jeff", gateway.password("jeff")).await.session();
    client.cookie(&cookie).post("/auth/logout").send().await.expect(200);
    let path = "/nevisfido/uaf/1.1/request/registration";
    let refused = client.cookie(&cookie).uaf(path, &json!({"context": "{}"})).await.expect(401);
    assert_eq!(refused.set_cookie().as_deref(), Some("sidegate-main="));
    assert!(flags(&refused).contains(&"max-age=0".to_owned()), "{:?}", flags(&refused));
    let open = client.cookie(&cookie).get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(open.set_cookie(), None, "what may be cached sets no cookie");
    let wrong = login(&client.cookie(&cookie), "jeff", "not the password").await.expect(401);
    assert_eq!(wrong.set_cookie().as_deref(), Some("sidegate-main="), "a service behind an open row says so too");
    let again = login(&client.cookie(&cookie), "jeff", gateway.password("jeff")).await.expect(200);
    assert!(is_alive(&client, &again.session()).await);
}

#[tokio::test]
async fn an_unused_session_ends() {
    let gateway = Setup::default().replace("idle: 30m", "idle: 29m").user("jeff").start().await;
    let client = gateway.public();
    let other = login(&client, "jeff", gateway.password("jeff")).await.session();
    gateway.reconfigure("idle: 29m", "idle: 10ms");
    gateway.reloaded("done", 1).await;
    let cookie = login(&client, "jeff", gateway.password("jeff")).await.session();
    // Each look is a use, and the beat between two is longer than the session may be idle.
    wait::until("the session ends", wait::BOUND, async || (!is_alive(&client, &cookie).await).then_some(())).await;
    assert!(is_alive(&client, &other).await, "one that may lie idle for longer lives");
}

#[tokio::test]
async fn a_session_ends_after_its_absolute_time_however_busy() {
    let setup = Setup::default().replace("idle: 30m", "idle: 10s").replace("absolute: 8h", "absolute: 12s");
    let gateway = setup.user("jeff").start().await;
    let client = gateway.public();
    let begun = Instant::now();
    let cookie = login(&client, "jeff", gateway.password("jeff")).await.session();
    wait::until("the session ends", wait::BOUND, async || (!is_alive(&client, &cookie).await).then_some(())).await;
    assert!(begun.elapsed() >= Duration::from_secs(11), "each use keeps it for as long as it may be idle");
}

#[tokio::test]
async fn a_removed_user_has_no_session_and_a_new_one_of_the_name_is_somebody_else() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let client = gateway.public();
    let first = login(&client, "jeff", gateway.password("jeff")).await;
    let cookie = first.session();
    assert!(gateway.command(&["user", "remove", "jeff"], "").status.success());
    wait::until("the session is gone", wait::BOUND, async || (!is_alive(&client, &cookie).await).then_some(())).await;
    gateway.add_user("jeff");
    let second = wait::until("jeff is back", wait::BOUND, async || {
        Some(login(&client, "jeff", gateway.password("jeff")).await).filter(|answer| answer.status == 200)
    })
    .await;
    assert_ne!(first.json()["extId"], second.json()["extId"]);
    assert!(!is_alive(&client, &cookie).await);
}

#[tokio::test]
async fn a_new_user_of_the_name_has_neither_the_targets_nor_the_keys_of_the_old_one() {
    let mut gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let client = gateway.public();
    let old = Phone::enrolled(&gateway, "jeff").await;
    assert!(gateway.command(&["user", "remove", "jeff"], "").status.success());
    gateway.add_user("jeff");
    wait::until("the new jeff is there", wait::BOUND, async || {
        (login(&client, "jeff", gateway.password("jeff")).await.status == 200).then_some(())
    })
    .await;
    let targets = "/nevisfido/token/dispatch/targets";
    let list = async || gateway.internal().get(&format!("{targets}?username=jeff")).send().await;
    list().await.problem(404);
    assert_eq!(asked(&gateway.internal(), "jeff").await, 1404, "the new one has no keys");
    assert_ne!(
        old.try_login_uaf_under_any_policy().await.json()["statusCode"],
        1200,
        "the old one's are good for nobody"
    );

    let new = Phone::enrolled(&gateway, "jeff").await;
    assert_ne!(new.ext_id(), old.ext_id());
    assert_eq!(list().await.expect(200).json()["dispatchTargets"].as_array().unwrap().len(), 1);
    let begun = client.json("/auth/fidouaf", &json!({})).await.uaf_code(1200);
    let finish = json!({"uafResponse": old.assertion(&begun)});
    let answer = client.uaf("/auth/fidouaf/authenticationresponse", &finish).await;
    assert!(answer.set_cookie().is_none() && answer.json()["statusCode"] != 1200, "{}", answer.text());
    let dispatched = dispatch(&client, "authentication", &by_link_to("jeff", old.target())).await;
    assert_ne!(dispatched.expect(200).json()["dispatchResult"], "dispatched");
    let deleted = new.client().call(http::Method::DELETE, &format!("{targets}/{}", old.target())).send().await;
    assert!([403, 404].contains(&deleted.status), "{}", deleted.text());
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let own = gateway.public().base().to_owned();
    let password = gateway.password("jeff");
    let post = |headers: &[(&str, &str)]| {
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", password)];
        headers.iter().fold(gateway.public().post(PASSWORD).form(&form), |post, (name, value)| post.header(name, value))
    };
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), HTML],
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        &[HTML],
    ] {
        let answer = post(refused).send().await;
        assert_eq!(answer.status, 403, "{refused:?}: {}", answer.text());
        assert!(answer.set_cookie().is_none(), "{refused:?}");
    }
    for taken in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("origin", own.as_str())],
        &[("origin", own.as_str()), HTML],
    ] {
        let answer = post(taken).send().await;
        assert!([200, 303].contains(&answer.status) && answer.set_cookie().is_some(), "{taken:?}: {}", answer.text());
    }
    let cookie = login(&gateway.public(), "jeff", password).await.session();
    let jeff = gateway.public().cookie(&cookie);
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://evil.example"), HTML],
    ] {
        let post = refused.iter().fold(jeff.post("/auth/logout"), |post, (name, value)| post.header(name, value));
        let answer = post.send().await;
        assert_eq!(answer.status, 403, "logout, {refused:?}: {}", answer.text());
        assert!(answer.set_cookie().is_none(), "logout, {refused:?}");
        assert!(is_alive(&gateway.public(), &cookie).await, "logout, {refused:?}");
    }
    let answer = jeff.post("/auth/logout").header("origin", &own).send().await;
    assert!(answer.status < 400 && !is_alive(&gateway.public(), &cookie).await, "{}", answer.text());
}

#[tokio::test]
async fn a_login_by_key_from_elsewhere_is_refused() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let begun = client.json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let finish = json!({"uafResponse": phone.assertion(&begun)}).to_string();
    let post = async |field: (&str, &str)| {
        let post = client.post("/auth/fidouaf/authenticationresponse").header("content-type", UAF);
        post.header(field.0, field.1).body(finish.clone()).send().await
    };
    for refused in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
        let answer = post(refused).await;
        assert!(answer.set_cookie().is_none(), "{refused:?}");
        answer.problem(403);
    }
    let own = client.base().to_owned();
    // Nothing was used up.
    post(("origin", &own)).await.uaf_code(1200);
}

#[tokio::test]
async fn another_password_ends_the_sessions_at_once() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let client = gateway.public();
    let session = async |name: &str| login(&client, name, gateway.password(name)).await.expect(200).session();
    let (jeff, eve) = (session("jeff").await, session("eve").await);
    let other = uuid::Uuid::new_v4().to_string();
    gateway.secrets().add("password", &other);
    assert!(gateway.command(&["user", "passwd", "jeff", "--password-stdin"], &other).status.success());
    assert!(!is_alive(&client, &jeff).await && is_alive(&client, &eve).await);
    login(&client, "jeff", gateway.password("jeff")).await.expect(401);
    let jeff = login(&client, "jeff", &other).await.expect(200).session();
    assert!(is_alive(&client, &jeff).await);
}

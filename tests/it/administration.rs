//! What internal callers with the role `admin` see and remove (`http-api.md` 8, `docs/administration.md`).

use http::Method;
use serde_json::{Value, json};
use sidegate_uaf::wire::ChannelBinding;

use crate::hybrid::samples;
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::phone::Phone;
use crate::support::wait;

const KINDS: [&str; 4] = ["users", "credentials", "targets", "sessions"];

async fn get(client: &Client, query: &str) -> Answer {
    client.get(&format!("/nevisfido/admin/{query}")).send().await
}

async fn delete(client: &Client, query: &str) -> Answer {
    client.call(Method::DELETE, &format!("/nevisfido/admin/{query}")).send().await
}

/// What is listed of this kind.
async fn listed(client: &Client, kind: &str, user: &str) -> Vec<Value> {
    let answer = get(client, &format!("{kind}?username={user}")).await.expect(200).json();
    answer[kind].as_array().unwrap().clone()
}

fn members(thing: &Value) -> Vec<&str> {
    let mut names: Vec<_> = thing.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A second key and a second target of the user, both of this device.
async fn add_device(phone: &Phone, user: &str, device_id: &str) {
    let body = json!({"context": json!({"username": user}).to_string()});
    let handed_out = phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &body).await.uaf_code(1200);
    let response = phone.registration_over(&handed_out, ChannelBinding::default());
    let context = json!({"deviceId": device_id, "deviceName": "Jeff's tablet"}).to_string();
    let answer = json!({"uafResponse": response, "context": context});
    phone.client().uaf("/nevisfido/uaf/1.1/registration", &answer).await.uaf_code(1200);
    let target = json!({"name": "tablet", "deviceId": device_id, "dispatcher": "link",
        "signatureKey": phone.signing.public(), "encryptionKey": phone.encryption.public()});
    phone.client().json("/nevisfido/token/dispatch/targets", &target).await.expect(201);
}

async fn told(gateway: &Gateway, words: &[&str]) {
    let line = async || gateway.log().lines().any(|line| words.iter().all(|word| line.contains(word))).then_some(());
    wait::until("the audit line", wait::BOUND, line).await;
}

#[tokio::test]
async fn what_users_have_is_listed_without_what_opens_anything() {
    let gateway = Gateway::standalone(&["jeff", "eve", "ann"]).await;
    let (admin, phone) = (gateway.internal(), Phone::enrolled(&gateway, "jeff").await);
    let names = |page: &Value| -> Vec<String> {
        page["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = get(&admin, "users?limit=2").await.expect(200).json();
    assert_eq!((names(&first), &first["next"]), (vec!["ann".to_owned(), "demo".to_owned()], &json!("demo")));
    let rest = get(&admin, "users?limit=2&after=demo").await.expect(200).json();
    assert_eq!((names(&rest), rest.get("next")), (vec!["eve".to_owned(), "jeff".to_owned()], None));
    let jeff = get(&admin, "users?username=jeff").await.expect(200).json();
    assert_eq!(jeff, json!({"users": [{"name": "jeff", "extId": phone.ext_id()}]}));

    let keys = listed(&admin, "credentials", "jeff").await;
    assert_eq!(members(&keys[0]), ["aaid", "confirmed", "created", "extId", "keyId", "lastUsed"]);
    assert_eq!((&keys[0]["aaid"], &keys[0]["confirmed"]), (&json!(phone.aaid()), &json!(true)));
    let targets = listed(&admin, "targets", "jeff").await;
    assert_eq!(members(&targets[0]), ["created", "dispatcher", "extId", "name"]);
    assert_eq!(targets[0]["extId"], phone.target());
    let sessions = listed(&admin, "sessions", "jeff").await;
    assert_eq!(members(&sessions[0]), ["authLevel", "authenticated", "domain", "ends", "lastUsed", "realm"]);
    assert_eq!((sessions.len(), &sessions[0]["realm"]), (1, &json!("fido-uaf")));
    for kind in &KINDS[1..] {
        assert!(listed(&admin, kind, "eve").await.is_empty(), "{kind}");
        get(&admin, &format!("{kind}?username=ghost")).await.problem(404);
    }
}

#[tokio::test]
async fn a_device_goes_with_its_target_and_key_and_nothing_else_does() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let admin = gateway.internal();
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let eves = Phone::enrolled(&gateway, "eve").await;
    add_device(&phone, "jeff", "tablet-1").await;
    add_device(&eves, "eve", "tablet-1").await;
    let of_jeff = async |kind: &str| listed(&admin, kind, "jeff").await.len();
    assert_eq!((of_jeff("credentials").await, of_jeff("targets").await), (2, 2));
    let keys = listed(&admin, "credentials", "jeff").await;
    assert_eq!((&keys[1]["deviceId"], &keys[1]["deviceName"]), (&json!("tablet-1"), &json!("Jeff's tablet")));

    delete(&admin, "credentials?username=jeff&deviceId=tablet-1").await.expect(204);
    assert_eq!((of_jeff("credentials").await, of_jeff("targets").await), (1, 1));
    assert_eq!(listed(&admin, "targets", "eve").await.len(), 2, "her device has the same id");
    assert_eq!(listed(&admin, "credentials", "eve").await.len(), 2);
    for kind in ["credentials", "targets"] {
        delete(&admin, &format!("{kind}?username=jeff&deviceId=tablet-1")).await.problem(404);
    }
    told(&gateway, &[r#""event":"administration""#, "remove-device", phone.ext_id(), r#""caller":"internal""#]).await;
    told(&gateway, &[r#""event":"credential""#, "removed", phone.ext_id()]).await;
    told(&gateway, &[r#""event":"target""#, "removed", phone.ext_id()]).await;
    let own = "/nevisfido/uaf/1.1/request/registration";
    phone.client().uaf(own, &json!({"context": "{}"})).await.problem(401);
    assert_eq!(listed(&admin, "sessions", "eve").await.len(), 1, "hers go on");
    phone.forget_session();
    phone.login_uaf().await;
    phone.client().uaf(own, &json!({"context": "{}"})).await.uaf_code(1200);

    let key = listed(&admin, "credentials", "jeff").await[0]["extId"].as_str().unwrap().to_owned();
    delete(&admin, &format!("credentials?username=eve&extId={key}")).await.problem(404);
    delete(&admin, &format!("credentials?username=jeff&extId={key}")).await.expect(204);
    delete(&admin, &format!("targets?username=eve&extId={}", phone.target())).await.problem(404);
    delete(&admin, &format!("targets?username=jeff&extId={}", phone.target())).await.expect(204);
    assert_eq!((of_jeff("credentials").await, of_jeff("targets").await), (0, 0));
    // Only to himself is it told.
    phone.login_password().await;
    let begun = phone.client().json("/auth/fidouaf", &json!({"username": "jeff"})).await.json();
    assert_ne!(begun["statusCode"], 1200, "jeff has no key: {begun}");
}

#[tokio::test]
async fn sessions_end_and_a_removed_user_is_nobody() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let (admin, jeff, eve) =
        (gateway.internal(), Phone::enrolled(&gateway, "jeff").await, Phone::enrolled(&gateway, "eve").await);
    // Whoever has a session is told that the body is missing, others that they have none.
    let targets = "/nevisfido/token/dispatch/targets";
    let is_in = async |phone: &Phone| phone.client().json(targets, &json!({})).await.status;
    assert_eq!((is_in(&jeff).await, is_in(&eve).await), (400, 400));
    delete(&admin, "sessions?username=jeff").await.expect(204);
    assert_eq!((is_in(&jeff).await, is_in(&eve).await), (401, 400));
    assert!(listed(&admin, "sessions", "jeff").await.is_empty());
    assert_eq!(listed(&admin, "credentials", "jeff").await.len(), 1, "the key stays");
    told(&gateway, &[r#""event":"sessions-ended""#, jeff.ext_id()]).await;

    delete(&admin, "users?username=eve").await.expect(204);
    assert_eq!(is_in(&eve).await, 401);
    for kind in KINDS {
        get(&admin, &format!("{kind}?username=eve")).await.problem(404);
    }
    delete(&admin, "users?username=eve").await.problem(404);
    told(&gateway, &[r#""event":"user""#, "removed", eve.ext_id()]).await;
    told(&gateway, &[r#""event":"target""#, "removed", eve.target(), eve.ext_id()]).await;
    let form = [("isiwebuserid", "eve"), ("isiwebpasswd", gateway.password("eve"))];
    gateway.public().post("/auth/pwd").form(&form).send().await.problem(401);
}

#[tokio::test]
async fn nobody_but_an_internal_caller_with_the_role_is_let_in() {
    let gateway = Setup::default().replace("roles: [act-for, admin]", "roles: [act-for]").user("jeff").start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let cookie = phone.session().to_owned();
    let token = std::fs::read_to_string(gateway.data().join("internal.token")).unwrap();
    for kind in KINDS {
        for method in [Method::GET, Method::DELETE] {
            let path = format!("/nevisfido/admin/{kind}?username=jeff&deviceId=x");
            let call = async |client: Client| client.call(method.clone(), &path).send().await;
            call(gateway.internal()).await.problem(403);
            call(gateway.internal_as_nobody()).await.problem(401);
            call(gateway.internal_as_nobody().cookie(&cookie)).await.problem(401);
            for public in [gateway.public(), phone.client(), gateway.public().bearer(token.trim())] {
                call(public).await.problem(404);
            }
        }
    }
    assert!(gateway.log().lines().all(|line| !line.contains(r#""event":"administration""#)));
    phone.login_password().await;
}

#[tokio::test]
async fn what_can_not_be_asked_is_named_and_removes_nothing() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let (admin, _phone) = (gateway.internal(), Phone::enrolled(&gateway, "jeff").await);
    for (query, member) in [
        ("users?limit=0", "limit"),
        ("users?limit=1001", "limit"),
        ("users?limit=-1", "limit"),
        ("users?limit=2&limit=3", "limit"),
        ("users?offset=3", "username, after, limit"),
        ("users?after=", "after"),
        ("credentials", "username"),
        ("credentials?username=", "username"),
        ("credentials?username=%FF", "username"),
        ("targets?username=jeff&username=eve", "username"),
        ("sessions?username=jeff&limit=1", "username"),
    ] {
        let detail = get(&admin, query).await.problem(400);
        assert!(detail.contains(member), "{query}: {detail}");
    }
    for (query, member) in [
        ("users", "username"),
        ("users?name=jeff", "username"),
        ("sessions?username=jeff&deviceId=x", "username"),
        ("credentials?username=jeff", "deviceId, extId"),
        ("credentials?username=jeff&deviceId=x&extId=y", "deviceId, extId"),
        ("credentials?username=jeff&deviceid=x", "username, deviceId, extId"),
        ("targets?deviceId=x", "username"),
        ("targets?username=jeff&deviceId=", "deviceId"),
        ("targets?username=jeff&extId=a%00b", "extId"),
    ] {
        let detail = delete(&admin, query).await.problem(400);
        assert!(detail.contains(member), "{query}: {detail}");
    }
    for kind in &KINDS[1..] {
        assert_eq!(listed(&admin, kind, "jeff").await.len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn keys_of_a_server_behind_go_there_first() {
    let mut behind = Setup::sample("hybrid-upstream.yml").start().await;
    let front = samples::before(&behind).start().await;
    let token = std::fs::read_to_string(front.data().join("internal.token")).unwrap();
    let (admin, phone) = (front.internal_tls().bearer(token.trim()), Phone::enrolled(&front, "jeff").await);
    let keys = listed(&admin, "credentials", "jeff").await;
    assert_eq!(keys.len(), 1);
    let key = keys[0]["extId"].as_str().unwrap();
    add_device(&phone, "jeff", "tablet-1").await;
    delete(&admin, &format!("credentials?username=jeff&extId={key}")).await.expect(204);
    assert_eq!(listed(&admin, "credentials", "jeff").await.len(), 1);
    assert!(listed(&admin, "sessions", "jeff").await.is_empty());
    told(&behind, &[r#""event":"credential""#, "removed"]).await;

    behind.stop();
    for query in ["credentials?username=jeff&deviceId=tablet-1", "users?username=jeff"] {
        delete(&admin, query).await.problem(502);
    }
    assert_eq!(listed(&admin, "credentials", "jeff").await.len(), 1);
    assert_eq!(listed(&admin, "targets", "jeff").await.len(), 2);
    assert_eq!(listed(&admin, "users", "jeff").await.len(), 1);
}

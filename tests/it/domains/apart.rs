//! What was begun in one domain leads nowhere in the other, and what both have in common is one.

use serde_json::json;

use super::{House, MAIN, PARTNERS, SIDES};
use crate::support::approvals::{approve, hidden};
use crate::support::http::HTML;
use crate::support::phone::Phone;

const SERVICE: &str = "/nevisfido/uaf/1.1/request/registration";

#[tokio::test]
async fn each_row_leads_to_the_logins_of_its_domain_and_back() {
    let house = House::open().await;
    for (here, there) in SIDES {
        let mut browser = house.browser();
        let page = browser.get(here.page).await.expect(401);
        let challenge = page.header("www-authenticate").unwrap().to_owned();
        assert!(challenge.contains(&format!("realm=\"{}\"", here.cookie.rsplit('-').next().unwrap())), "{challenge}");
        let text = page.text();
        assert!(text.contains(&format!("action=\"{}\"", here.at("pwd"))), "{text}");
        assert!(text.contains(&format!("formaction=\"{}\"", here.at("oob"))), "{text}");
        let form =
            [("isiwebuserid", "jeff"), ("isiwebpasswd", house.gateway.password("jeff")), ("return", &*hidden(&text))];
        // The form of one is refused in the other: it shows one of its own, and logs nobody in.
        let refused = browser.post(&there.at("pwd"), &form).await.expect(400);
        assert!(refused.set_cookie().is_none() && refused.text().contains("too old"), "{}", refused.text());
        let refused = browser.post(&there.at("oob"), &form[..1]).await;
        assert_eq!(refused.expect(303).header("location"), Some(&*there.at("oob")));
        browser.jar.clear();
        let refused = browser.post(&there.at("oob"), &[form[0], form[2]]).await.expect(400);
        assert!(browser.jar.is_empty(), "{:?}", refused.headers);
        let done = browser.post(&here.at("pwd"), &form).await.expect(303);
        assert_eq!(done.header("location"), Some(here.page));
        assert!(house.session(&browser.client(), here).await.is_ok());
        let page = browser.get(&here.at("login")).await.expect(200).text();
        assert!(page.contains("logged in as") && page.contains(&here.at("logout")), "{page}");
        assert!(browser.get(&there.at("login")).await.expect(200).text().contains(&there.at("pwd")));
    }
}

#[tokio::test]
async fn an_approval_logs_in_to_the_domain_where_it_was_asked_for() {
    let house = House::open().await;
    let phone = Phone::enrolled(&house.gateway, "jeff").await;
    for (here, there) in SIDES {
        let mut browser = house.browser();
        browser.ask_at(&here.at("oob"), here.page, Some("jeff")).await.expect(303);
        let name = format!("{}.login", here.cookie);
        assert_eq!(browser.jar.keys().collect::<Vec<_>>(), [&name]);
        let link = browser.link_at(&here.at("oob")).await;
        approve(&house.gateway, &phone, &link).await;
        let cookie = browser.jar[&name].clone();
        for cookies in [
            format!("{name}={cookie}"),
            format!("{}.login={cookie}", there.cookie),
            format!("{name}={cookie}; {}.login={cookie}", there.cookie),
        ] {
            let look = house.client(&cookies).get(&there.at("oob")).header(HTML.0, HTML.1).send().await.expect(401);
            assert!(look.text().contains("This login is over"), "{}", look.text());
            let fields = look.headers.get_all("set-cookie");
            assert!(fields.iter().all(|field| field.to_str().unwrap().contains("Max-Age=0")), "{:?}", look.headers);
        }
        assert_eq!(browser.get(&here.at("oob")).await.expect(303).header("location"), Some(here.page));
        assert_eq!(browser.jar.keys().collect::<Vec<_>>(), [here.cookie], "the login is told and forgotten");
        assert_eq!(house.told(&browser.client(), here.raised).await.unwrap().1, "2");
        assert_eq!(house.session(&browser.client(), there).await, Err(401));
    }
}

#[tokio::test]
async fn a_session_token_is_good_in_its_domain_alone() {
    let house = House::open().await;
    let phone = Phone::enrolled(&house.gateway, "jeff").await;
    let answer = phone.try_login_uaf().await.uaf_code(1200);
    let carried = house.gateway.public().bearer(answer["additionalTokens"][0]["value"].as_str().unwrap());
    let (sid, level) = house.told(&carried, MAIN.raised).await.unwrap();
    assert_eq!(level, "2");
    assert_eq!(house.session(&carried, PARTNERS).await, Err(401));
    carried.post(&PARTNERS.at("logout")).send().await.expect(200);
    assert_eq!(house.session(&carried, MAIN).await, Ok(sid), "a logout there ends nothing here");
    carried.post(&MAIN.at("logout")).send().await.expect(200);
    assert_eq!(house.session(&carried, MAIN).await, Err(401));
}

#[tokio::test]
async fn services_and_keys_are_of_one_domain() {
    let house = House::open().await;
    let browser = house.in_both("jeff").await;
    for (here, expected) in [(MAIN, 200), (PARTNERS, 401)] {
        let client = house.client(&here.with(&here.id(&browser)));
        client.uaf(SERVICE, &json!({"context": "{}"})).await.expect(expected);
    }
    // Who is logged in elsewhere does not become somebody by a login with a key, nor is that session raised.
    let mut phone = Phone::enrolled(&house.gateway, "eve").await;
    phone.forget_session();
    let begun = browser.client().json("/auth/fidouaf", &json!({"username": "eve"})).await.uaf_code(1200);
    let partner = house.client(&PARTNERS.with(&PARTNERS.id(&browser)));
    let finish = json!({"uafResponse": phone.assertion(&begun)});
    let done = partner.uaf("/auth/fidouaf/authenticationresponse", &finish).await;
    assert!(done.session().starts_with(MAIN.cookie));
    assert!(house.session(&browser.client(), PARTNERS).await.is_ok(), "it is jeff there, as before");
    for row in ["fidouaf", "fidouaf/authenticationresponse", "authenticationresponse"] {
        house.gateway.public().json(&PARTNERS.at(row), &json!({})).await.problem(404);
    }
}

#[tokio::test]
async fn failed_attempts_count_in_both() {
    let house = House::open().await;
    let post = async |side: super::Side, password: &str| {
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", password)];
        house.gateway.public().post(&side.at("pwd")).form(&form).send().await.status
    };
    let mut tries = 0;
    while post(PARTNERS, "not the password").await != 429 {
        tries += 1;
        assert!(tries < 100, "nothing slows them");
    }
    assert_eq!(post(MAIN, house.gateway.password("jeff")).await, 429);
}

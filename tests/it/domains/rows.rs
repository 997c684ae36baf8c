//! Every event of the table in `gateway.md` 3.2, in one domain with the other beside it.

use http::Method;

use super::{House, MAIN, PARTNERS, SIDES, Side};
use crate::support::http::Answer;
use crate::support::phone::Phone;
use crate::support::wait;

fn flags(answer: &Answer) -> Vec<String> {
    let field = answer.header("set-cookie").unwrap();
    let mut flags: Vec<_> = field.split("; ").skip(1).map(str::to_ascii_lowercase).collect();
    flags.sort();
    flags
}

#[tokio::test]
async fn a_first_login_makes_a_session_in_one_and_touches_nothing_in_the_other() {
    let house = House::open().await;
    for (here, there) in SIDES {
        let mut browser = house.browser();
        house.log_in(&mut browser, there, "jeff").await;
        let beside = house.session(&browser.client(), there).await.unwrap();
        assert_eq!(house.session(&browser.client(), here).await, Err(401), "the one is no session of the other");
        // An id that the client brought is not upgraded.
        let planted = "A".repeat(43);
        browser.jar.insert(here.cookie.to_owned(), planted.clone());
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", house.gateway.password("jeff"))];
        let done = browser.post(&here.at("pwd"), &form).await.expect(303);
        assert_eq!(flags(&done), ["httponly", "path=/", "samesite=lax", "secure"]);
        assert_eq!(done.set_cookie(), Some(here.with(&here.id(&browser))));
        assert_ne!(here.id(&browser), planted);
        assert_eq!(house.session(&house.client(&here.with(&planted)), here).await, Err(401));
        let (sid, level) = house.told(&browser.client(), here.page).await.unwrap();
        assert_eq!(level, "1");
        assert_ne!(sid, beside);
        assert_eq!(house.session(&browser.client(), there).await, Ok(beside));
    }
}

#[tokio::test]
async fn a_step_up_with_renewal_gives_a_new_id_in_one() {
    let house = House::open().await;
    let phone = Phone::enrolled(&house.gateway, "jeff").await;
    let mut renewed = Vec::new();
    for (here, there) in SIDES {
        let mut browser = house.in_both("jeff").await;
        let (old, other) = (here.id(&browser), there.id(&browser));
        let (before, beside) =
            (house.session(&browser.client(), here).await, house.told(&browser.client(), there.page).await);
        house.step_up(&mut browser, here, &phone).await;
        assert_ne!(here.id(&browser), old);
        assert_eq!(there.id(&browser), other);
        let raised = house.told(&browser.client(), here.raised).await.unwrap();
        assert_eq!((Ok(raised.0), raised.1.as_str()), (before, "2"), "the same session");
        let with_old = house.client(&here.with(&old));
        assert_eq!(house.told(&with_old, here.raised).await, Err(401), "the old id never learns the new level");
        renewed.push((here, there, browser, with_old, beside));
    }
    for (here, there, browser, with_old, beside) in renewed {
        wait::until("the old id is gone", wait::BOUND, async || {
            house.session(&with_old, here).await.is_err().then_some(())
        })
        .await;
        assert_eq!(house.told(&browser.client(), there.raised).await, Err(401), "the other is not raised");
        assert_eq!(house.told(&browser.client(), there.page).await, beside);
    }
}

#[tokio::test]
async fn a_step_up_without_renewal_keeps_the_id_in_one() {
    let oob = |domain: &str| format!("    type: oob\n    domain: {domain}\n");
    let kept = |domain: &str| format!("{}    renew: false\n", oob(domain));
    let house =
        House::with(|setup| setup.replace(oob("main"), kept("main")).replace(oob("partners"), kept("partners"))).await;
    let phone = Phone::enrolled(&house.gateway, "jeff").await;
    for (here, there) in SIDES {
        let mut browser = house.in_both("jeff").await;
        let (old, before) = (here.id(&browser), house.session(&browser.client(), here).await);
        house.step_up(&mut browser, here, &phone).await;
        assert_eq!(here.id(&browser), old);
        let raised = house.told(&browser.client(), here.raised).await.unwrap();
        assert_eq!((Ok(raised.0), raised.1.as_str()), (before, "2"));
        assert_eq!(house.told(&browser.client(), there.raised).await, Err(401));
        assert!(house.session(&browser.client(), there).await.is_ok());
    }
}

#[tokio::test]
async fn a_login_as_another_user_ends_the_session_of_one() {
    let house = House::open().await;
    for (here, there) in SIDES {
        let mut browser = house.in_both("jeff").await;
        let (jeffs, beside) = (here.id(&browser), house.session(&browser.client(), there).await);
        let before = house.session(&browser.client(), here).await;
        house.log_in(&mut browser, here, "eve").await;
        assert_ne!(here.id(&browser), jeffs);
        assert_eq!(house.session(&house.client(&here.with(&jeffs)), here).await, Err(401));
        let eves = house.session(&browser.client(), here).await;
        assert!(eves.is_ok() && eves != before);
        assert_eq!(house.session(&browser.client(), there).await, beside, "there it is jeff as before");
    }
}

#[tokio::test]
async fn a_logout_leaves_the_other_alone() {
    let house = House::open().await;
    for (here, there) in SIDES {
        let mut browser = house.in_both("jeff").await;
        let both = browser.client();
        let beside = house.session(&both, there).await;
        let page = browser.get(&here.at("logout")).await.expect(200).text();
        assert!(page.contains(&format!("action=\"{}\"", here.at("logout"))), "{page}");
        assert!(house.session(&both, here).await.is_ok(), "GET only asks");
        let done = browser.post(&here.at("logout"), &[]).await.expect(303);
        assert!(here.clears(&done), "{:?}", done.headers);
        assert_eq!(done.header("location"), Some(&*here.at("login")));
        assert_eq!(house.session(&both, here).await, Err(401));
        assert_eq!(house.session(&both, there).await, beside);
        // What is dead is cleared where it is shown, and nowhere else.
        assert!(here.clears(&both.get(here.page).send().await.expect(401)));
        assert_eq!(both.get(there.page).send().await.expect(200).set_cookie(), None);
    }
}

/// The session of one ends by itself, that of the other does not.
async fn ends(house: &House, here: Side, there: Side) {
    let browser = house.in_both("jeff").await;
    wait::until("the session ends", wait::BOUND, async || {
        house.session(&browser.client(), here).await.is_err().then_some(())
    })
    .await;
    assert!(here.clears(&browser.client().get(here.page).send().await.expect(401)));
    assert!(house.session(&browser.client(), there).await.is_ok());
}

#[tokio::test]
async fn an_unused_session_ends_by_the_time_of_its_domain() {
    ends(&House::with(|setup| setup.replace("    idle: 10m", "    idle: 10ms")).await, PARTNERS, MAIN).await;
    let main = "    start-page: /bank/ ";
    ends(&House::with(|setup| setup.replace(main, format!("    idle: 10ms\n{main}"))).await, MAIN, PARTNERS).await;
}

#[tokio::test]
async fn a_session_ends_after_the_absolute_time_of_its_domain() {
    let short = |setup: crate::support::gateway::Setup| {
        setup.replace("    idle: 10m", "    idle: 2s").replace("    absolute: 2h", "    absolute: 2s")
    };
    ends(&House::with(short).await, PARTNERS, MAIN).await;
}

#[tokio::test]
async fn a_removed_user_has_a_session_in_neither() {
    let house = House::open().await;
    let (jeff, eve) = (house.in_both("jeff").await, house.in_both("eve").await);
    assert!(house.gateway.command(&["user", "remove", "jeff"], "").status.success());
    for (here, _) in SIDES {
        wait::until("the session is gone", wait::BOUND, async || {
            house.session(&jeff.client(), here).await.is_err().then_some(())
        })
        .await;
        assert!(house.session(&eve.client(), here).await.is_ok());
    }
}

#[tokio::test]
async fn an_end_of_all_sessions_ends_those_of_both() {
    let house = House::open().await;
    let (jeff, eve) = (house.in_both("jeff").await, house.in_both("eve").await);
    let end = house.gateway.internal().call(Method::DELETE, "/nevisfido/admin/sessions?username=jeff");
    end.send().await.expect(204);
    for (here, _) in SIDES {
        assert_eq!(house.session(&jeff.client(), here).await, Err(401));
        assert!(house.session(&eve.client(), here).await.is_ok());
    }
    let again = house.in_both("jeff").await;
    assert!(house.session(&again.client(), MAIN).await.is_ok());
    assert!(house.session(&again.client(), PARTNERS).await.is_ok());
}

//! What the service refuses slows what comes next from the same network, unless it was good from there lately.

use super::{Shop, answer, good};
use crate::support::http::{Answer, Client};
use crate::support::logs::{access_line, audited};
use crate::support::wait;

/// More than a network may have refused.
const MANY: usize = 300;
/// How many questions a network may have open: 25% of 256.
const SHARE: usize = 64;
/// How many a network may have refused before it is slowed.
const NETWORKS: usize = 100;
/// More than one user is known by.
const COOKIES: usize = 20;
/// For questions that stay open.
const PATIENT: &str = "    timeout: 10m\n";

impl Shop {
    /// Shows one ticket after another that is none until that is slowed, and says how many were judged.
    async fn guess(&self) -> usize {
        for count in 0..MANY {
            let told = self.get("/any/a", &format!("guess-{count}")).await;
            if told.status == 429 {
                let wait: u64 = told.header("retry-after").unwrap().parse().unwrap();
                assert!(wait >= 1, "{wait}");
                access_line(&self.gateway, &told).await;
                return count;
            }
            told.problem(401);
        }
        panic!("nothing was slowed");
    }

    /// Has the service asked as often as a network may at once, by requests of this client that it does not answer.
    async fn hold_open(&self, client: &Client, show: impl Fn(usize) -> (&'static str, String)) {
        self.service.says("");
        let before = self.service.asked().len();
        for count in 0..SHARE {
            let (name, value) = show(count);
            tokio::spawn(client.get("/any/a").header(name, &value).try_send());
        }
        let all = async || (self.service.asked().len() == before + SHARE).then_some(());
        wait::until("the service is asked all at once", wait::BOUND, all).await;
        self.service.tells_the_truth();
    }

    async fn show(&self, Show { query, ticket, cookie, body }: Show) -> Answer {
        let request = self.gateway.public().post(&format!("/any/a?{query}")).header("x-ticket", &ticket).body(body);
        if cookie.is_empty() { request.send().await } else { request.header("cookie", &cookie).send().await }
    }

    /// Shows a guess after each thing of its own that is good until one of the two is slowed, and says how many guesses
    /// were judged.
    async fn guess_between(&self, own: impl Fn(usize) -> Show, guess: impl Fn(usize) -> Show) -> usize {
        for count in 0..MANY {
            self.service.says(&good("X-Auth-User: e-1\r\nX-Auth-Name: a\r\n"));
            let passed = self.show(own(count)).await;
            self.service.says(&answer(401, ""));
            let told = if passed.status == 429 { passed } else { self.show(guess(count)).await };
            if told.status == 429 {
                return count;
            }
            told.problem(401);
        }
        panic!("nothing was slowed");
    }
}

/// What a client shows beside what it always shows.
#[derive(Clone)]
struct Show {
    query: String,
    ticket: String,
    cookie: String,
    body: String,
}

/// What makes a guess of it.
type Change = fn(&mut Show, usize);

#[tokio::test]
async fn guesses_are_slowed_and_what_was_good_is_not() {
    let shop = Shop::open().await;
    shop.get("/any/a", "t-eve").await.expect(200);
    let judged = shop.guess().await;
    assert!(judged >= NETWORKS, "{judged}");
    let asked = shop.service.asked();
    assert_eq!(asked.len(), 1 + judged, "the service is not asked for what is slowed");
    let refused = audited(&shop.gateway, "login-failed");
    let because = |reason: &str| refused.iter().filter(|line| line["reason"] == reason).count();
    assert_eq!((because("authentication-service"), because("too-many-attempts")), (judged, 1), "{refused:?}");
    assert!(refused.iter().all(|line| line["realm"] == "corporate" && line["address"] == "127.0.0.1"), "{refused:?}");
    for path in ["/any/b", "/open/b"] {
        shop.get(path, "t-eve").await.expect(200);
        assert_eq!(shop.told("x-user"), ["e-eve"], "nothing is remembered, it is asked: {path}");
    }
    let cookie = shop.gateway.public().cookie("sso=jeff");
    cookie.get("/any/a").send().await.expect(200);
    assert_eq!(shop.told("x-user"), ["e-jeff"], "whoever shows cookies alone is as ever");
}

#[tokio::test]
async fn an_answer_that_is_remembered_holds_while_guesses_are_slowed() {
    let shop = Shop::with("    cache: 5m\n").await;
    shop.get("/any/a", "t-eve").await.expect(200);
    let judged = shop.guess().await;
    for _ in 0..2 {
        shop.get("/any/a", "t-eve").await.expect(200);
    }
    assert_eq!(shop.service.asked().len(), 1 + judged);
}

#[tokio::test]
async fn nothing_but_a_refusal_of_what_is_no_cookie_counts() {
    let shop = Shop::open().await;
    let visitor = shop.gateway.public().cookie("sso=unknown");
    for _ in 0..MANY / 2 {
        visitor.get("/any/a").send().await.problem(401);
    }
    for (status, told) in [(503, 503), (302, 401), (200, 401)] {
        shop.service.says(&answer(status, ""));
        for count in 0..MANY / 2 {
            assert_eq!(shop.get("/any/a", &format!("guess-{count}")).await.status, told);
        }
    }
    shop.service.says(&answer(403, ""));
    assert!(shop.guess().await >= NETWORKS);
    visitor.get("/any/a").send().await.problem(401);
}

#[tokio::test]
async fn what_is_good_frees_no_guess_that_comes_by_the_same_header() {
    let own = Show { query: "a".into(), ticket: "app".into(), cookie: "sso=own".into(), body: "own".into() };
    let with = |change: Change| {
        let own = own.clone();
        move |count| {
            let mut guess = own.clone();
            change(&mut guess, count);
            guess
        }
    };
    // With another query or body it is the same one who guesses, and waits; with another cookie it is a stranger.
    let guesses: [(Change, bool); 3] = [
        (|show, count| show.body = format!("guess-{count}"), false),
        (|show, count| show.query = format!("guess-{count}"), false),
        (|show, count| show.cookie = format!("sso=guess-{count}"), true),
    ];
    for (guess, is_stranger) in guesses {
        let shop = Shop::with("    body: 1KiB\n").await;
        let judged = shop.guess_between(with(|_, _| ()), with(guess)).await;
        assert!(judged >= if is_stranger { NETWORKS } else { SHARE }, "{judged}");
        if is_stranger {
            shop.service.says(&good("X-Auth-User: e-1\r\nX-Auth-Name: a\r\n"));
            shop.show(own.clone()).await.expect(200);
        } else {
            assert!(judged < NETWORKS, "it is the user's: {judged}");
        }
    }
}

#[tokio::test]
async fn who_was_good_with_much_to_show_has_no_more_guesses() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let show = |cookie: usize, body: String| {
        shop.show(Show { query: "a".into(), ticket: "app".into(), cookie: format!("own={cookie}"), body })
    };
    shop.service.says(&good("X-Auth-User: e-1\r\nX-Auth-Name: a\r\n"));
    for cookie in 0..COOKIES {
        show(cookie, "own".into()).await.expect(200);
    }
    shop.service.says(&answer(401, ""));
    let mut judged = 0;
    for cookie in (0..COOKIES).rev() {
        for guess in 0..SHARE {
            judged += usize::from(show(cookie, format!("guess-{guess}")).await.status == 401);
        }
    }
    // What the service named him for last is his, the rest a stranger's: for both together there is what one has.
    assert!((SHARE..NETWORKS + SHARE).contains(&judged), "{judged}");
}

#[tokio::test]
async fn fresh_cookies_beside_ones_own_give_no_more_guesses() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let mut judged = 0;
    for count in 0..MANY {
        let client = shop.gateway.public().cookie(&format!("sso=eve; n={count}"));
        shop.service.says(&good("X-Auth-User: e-eve\r\nX-Auth-Name: a\r\n"));
        client.get("/any/a").send().await.expect(200);
        shop.service.says(&answer(401, ""));
        judged += usize::from(client.post("/any/a").body(format!("guess-{count}")).send().await.status == 401);
    }
    assert!((SHARE..NETWORKS + SHARE / 2).contains(&judged), "{judged}");
}

#[tokio::test]
async fn slips_of_ones_own_give_strangers_nothing_to_lock_one_out_by() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let show = |cookie: &str, body: &str| {
        let (cookie, body) = (cookie.into(), body.into());
        shop.show(Show { query: "a".into(), ticket: "app".into(), cookie, body })
    };
    shop.service.says(&good("X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"));
    show("", "his password").await.expect(200);
    show("own=jeff", "").await.expect(200);
    shop.service.says(&answer(401, ""));
    for _ in 0..5 {
        show("own=jeff", "a wrong PIN").await.problem(401);
    }
    let mut judged = 0;
    while show("", &format!("guess-{judged}")).await.status == 401 {
        judged += 1;
        assert!(judged < NETWORKS, "nothing was slowed");
    }
    shop.service.says(&good("X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"));
    for _ in 0..3 {
        show("own=jeff", "").await.expect(200);
        show("own=jeff", "his PIN").await.expect(200);
    }
}

#[tokio::test]
async fn what_only_a_form_made_good_is_nobody_who_may_not_have_a_path() {
    let shop = Shop::with("    body: 1KiB\n").await;
    shop.service.says(&good("X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"));
    let form = shop.gateway.public().post("/any/a").header("x-ticket", "app").body("his password");
    form.send().await.expect(200);
    shop.service.says(&answer(403, ""));
    let mut judged = 0;
    while shop.get(&format!("/any/ticket-{judged}"), "app").await.status == 401 {
        judged += 1;
        assert!(judged < MANY, "nothing was slowed");
    }
    assert!(judged >= SHARE, "{judged}");
}

#[tokio::test]
async fn good_logins_of_others_by_the_same_header_free_no_guess() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let show = |body: String| shop.show(Show { query: "a".into(), ticket: "app".into(), cookie: String::new(), body });
    let mut judged = 0;
    for user in 0..4 {
        shop.service.says(&good(&format!("X-Auth-User: e-{user}\r\nX-Auth-Name: a\r\n")));
        // One at a time gets in between, once the others have waited.
        wait::until("a user is let in", wait::BOUND, async || (show("own".into()).await.status == 200).then_some(()))
            .await;
        shop.service.says(&answer(401, ""));
        for guess in 0..SHARE {
            judged += usize::from(show(format!("guess-{guess}")).await.status == 401);
        }
    }
    assert!((SHARE..NETWORKS + SHARE).contains(&judged), "{judged}");
}

#[tokio::test]
async fn whoever_a_cookie_let_in_may_send_a_form_while_strangers_guess() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let jeff = shop.gateway.public().cookie("sso=jeff");
    jeff.get("/any/a").send().await.expect(200);
    assert!(shop.guess().await >= NETWORKS);
    jeff.post("/any/a").body("a form").send().await.expect(200);
}

#[tokio::test]
async fn guesses_at_a_header_that_all_send_hold_up_forms_alone() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let show = |cookie: &str, body: &str| {
        let request = shop.gateway.public().post("/any/a").header("x-ticket", "app").body(body.to_owned());
        if cookie.is_empty() { request.try_send() } else { request.header("cookie", cookie).try_send() }
    };
    let jeff = || shop.gateway.public().get("/any/a").header("x-ticket", "app").header("cookie", "sso=jeff").send();
    let form = "X-Auth-User: e-jeff\r\nX-Auth-Roles: teller\r\nX-Auth-Name: n-e-jeff\r\n";
    shop.service.says(&good(form));
    show("", "his password").await.unwrap().expect(200);
    shop.service.tells_the_truth();
    jeff().await.expect(200);
    let mut judged = 0;
    while show("", &format!("guess-{judged}")).await.unwrap().status == 401 {
        judged += 1;
        assert!(judged < NETWORKS, "it is as whom the service named last: {judged}");
    }
    assert!(judged >= SHARE, "{judged}");
    for _ in 0..3 {
        jeff().await.expect(200);
    }
    show("sso=jeff", "a form").await.unwrap().expect(200);
    // Nor does what comes with that header and no body, which is nobody's.
    let visit = || shop.gateway.public().get("/any/a").header("x-ticket", "app").send();
    while visit().await.status == 401 {
        judged += 1;
        assert!(judged < MANY, "nothing was slowed");
    }
    jeff().await.expect(200);
}

#[tokio::test]
async fn guesses_in_a_url_beside_a_header_that_all_send_hold_up_nobody_who_has_his_own() {
    for guess in ["/any/a?ticket=", "/any/ticket-"] {
        let shop = Shop::open().await;
        let get = |path: String, cookie: &'static str| {
            let request = shop.gateway.public().get(&path).header("x-ticket", "app");
            if cookie.is_empty() { request.send() } else { request.header("cookie", cookie).send() }
        };
        shop.service.says(&good("X-Auth-User: e-jeff\r\nX-Auth-Roles: teller\r\nX-Auth-Name: n-e-jeff\r\n"));
        get(format!("{guess}good"), "").await.expect(200);
        shop.service.tells_the_truth();
        get("/any/a?page=0".into(), "sso=jeff").await.expect(200);
        let mut judged = 0;
        while get(format!("{guess}{judged}"), "").await.status == 401 {
            judged += 1;
            assert!(judged < NETWORKS, "it is as whom the service named last: {judged}");
        }
        assert!(judged >= SHARE, "{judged}");
        for query in 0..3 {
            get(format!("/any/a?page={query}"), "sso=jeff").await.expect(200);
        }
    }
}

#[tokio::test]
async fn who_is_known_by_a_cookie_alone_is_asked_about_while_strangers_have_all_of_the_networks_share() {
    let shop = Shop::with(PATIENT).await;
    let jeff = shop.gateway.public().cookie("sso=jeff");
    jeff.get("/any/a").send().await.expect(200);
    shop.hold_open(&shop.gateway.public(), |count| ("cookie", format!("sso=stranger-{count}"))).await;
    for query in 0..3 {
        jeff.get(&format!("/any/b?{query}")).send().await.expect(200);
    }
    shop.gateway.public().cookie("sso=jeff; more=b").get("/any/a").send().await.problem(503);
}

#[tokio::test]
async fn a_reload_forgets_nobody_who_was_good() {
    let shop = Shop::open().await;
    shop.get("/any/a", "t-eve").await.expect(200);
    assert!(shop.guess().await >= NETWORKS);
    shop.gateway.hang_up();
    shop.gateway.reloaded("done", 1).await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.get("/any/a", "t-ann").await.problem(429);
}

#[tokio::test]
async fn a_reload_gives_nobody_more_questions_at_once() {
    let shop = Shop::with(PATIENT).await;
    shop.hold_open(&shop.gateway.public(), |count| ("cookie", format!("sso=stranger-{count}"))).await;
    for reloads in 1..=2 {
        shop.gateway.public().cookie("sso=another").get("/any/a").send().await.problem(503);
        shop.gateway.hang_up();
        shop.gateway.reloaded("done", reloads).await;
    }
}

#[tokio::test]
async fn a_path_that_is_refused_slows_nobody_whom_the_service_knows() {
    let shop = Shop::with("    body: 1KiB\n").await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.service.says(&answer(403, ""));
    for _ in 0..MANY {
        shop.get("/any/forbidden", "t-eve").await.problem(401);
    }
    shop.service.tells_the_truth();
    shop.get("/any/a", "t-eve").await.expect(200);
    assert_eq!(audited(&shop.gateway, "login-failed").len(), 0);
    shop.service.says(&answer(403, ""));
    let mut judged = 0;
    let post = |count| shop.gateway.public().post("/any/a").header("x-ticket", "t-eve").body(format!("guess-{count}"));
    while post(judged).send().await.status == 401 {
        judged += 1;
        assert!(judged < NETWORKS, "nothing was slowed");
    }
    assert!(judged >= SHARE, "{judged}");
}

#[tokio::test]
async fn what_others_show_holds_up_no_question_of_who_was_good() {
    let shop = Shop::with("    body: 1KiB\n").await;
    shop.get("/any/a", "t-eve").await.expect(200);
    assert!(shop.guess().await >= NETWORKS);
    for query in 0..SHARE {
        shop.get(&format!("/any/a?page={query}"), "t-eve").await.expect(200);
    }
    let post = |body: &'static str| shop.gateway.public().post("/any/a").header("x-ticket", "t-eve").body(body).send();
    post("of its own").await.expect(200);
    shop.get("/any/a?page=1", "t-ann").await.problem(429);
}

#[tokio::test]
async fn who_was_good_holds_up_no_other_who_was() {
    let shop = Shop::with(PATIENT).await;
    for ticket in ["t-eve", "sso=jeff"] {
        shop.get("/any/a", ticket).await.expect(200);
    }
    shop.service.says("");
    let before = shop.service.asked().len();
    for count in 0..2 * SHARE {
        tokio::spawn(shop.gateway.public().get(&format!("/any/a?{count}")).header("x-ticket", "t-eve").try_send());
    }
    let all = async || (shop.service.asked().len() == before + SHARE).then_some(());
    wait::until("the service is asked all that may be asked at once", wait::BOUND, all).await;
    let refused = async || (audited(&shop.gateway, "login-failed").len() == SHARE).then_some(());
    wait::until("the others wait", wait::BOUND, refused).await;
    shop.service.tells_the_truth();
    shop.get("/any/a?another", "sso=jeff").await.expect(200);
}

#[tokio::test]
async fn who_was_good_with_much_to_show_holds_up_no_other_who_was() {
    let shop = Shop::with(PATIENT).await;
    let show = |count| {
        let eve = shop.gateway.public().get("/any/a").header("x-ticket", "t-eve");
        eve.header("cookie", &format!("own={count}"))
    };
    for count in 0..2 * SHARE {
        show(count).send().await.expect(200);
    }
    shop.get("/any/a", "sso=jeff").await.expect(200);
    shop.service.says("");
    let before = shop.service.asked().len();
    for count in 0..2 * SHARE {
        tokio::spawn(show(count).try_send());
    }
    // As many as a network may, and one in the place that is reserved for who was good.
    let all = async || (shop.service.asked().len() == before + SHARE + 1).then_some(());
    wait::until("the service is asked all that may be asked at once", wait::BOUND, all).await;
    let refused = async || (audited(&shop.gateway, "login-failed").len() == SHARE - 1).then_some(());
    wait::until("the others wait", wait::BOUND, refused).await;
    shop.service.tells_the_truth();
    shop.get("/any/a?another", "sso=jeff").await.expect(200);
}

#[tokio::test]
async fn guesses_in_a_body_count_whatever_cookie_is_beside_them() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let client = shop.gateway.public().cookie("a=b");
    let mut judged = 0;
    while client.post("/any/a").body(format!("guess-{judged}")).send().await.status == 401 {
        judged += 1;
        assert!(judged < MANY, "nothing was slowed");
    }
    assert!(judged >= SHARE, "{judged}");
}

#[tokio::test]
async fn a_good_cookie_beside_a_guess_makes_the_guess_none_that_was_good() {
    let shop = Shop::open().await;
    let own = shop.gateway.public().cookie("sso=jeff");
    for count in 0..MANY {
        own.get("/any/a").header("x-ticket", &format!("guess-{count}")).send().await.expect(200);
    }
    assert!(shop.guess().await >= NETWORKS);
}

#[tokio::test]
async fn what_was_good_is_asked_about_while_strangers_have_all_of_the_networks_share() {
    let shop = Shop::with(PATIENT).await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.hold_open(&shop.gateway.public(), |count| ("cookie", format!("sso=stranger-{count}"))).await;
    shop.gateway.public().cookie("sso=jeff").get("/any/a").send().await.problem(503);
    for _ in 0..2 {
        shop.get("/any/b?c", "t-eve").await.expect(200);
    }
}

#[tokio::test]
async fn attempts_that_are_only_under_way_are_not_told_as_refused() {
    let shop = Shop::with(PATIENT).await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.hold_open(&shop.gateway.public(), |count| ("x-ticket", format!("stranger-{count}"))).await;
    let told = shop.get("/any/a", "another").await;
    assert_eq!(told.header("retry-after"), Some("1"));
    access_line(&shop.gateway, &told).await;
    assert!(told.problem(429).contains("failed or are under way"));
    let [line] = &audited(&shop.gateway, "login-failed")[..] else { panic!("one line") };
    assert_eq!(line["reason"], "too-many-attempts");
    shop.get("/any/a", "t-eve").await.expect(200);
}

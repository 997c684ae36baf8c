//! The login page in a real browser (`gateway.md` 3.1).

use crate::support::browser::Browser;
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::HTML;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// A gateway in front of a protected shop.
struct Shop {
    gateway: Gateway,
    upstream: Upstream,
}

impl Shop {
    async fn open() -> Self {
        Self::with(Setup::default()).await
    }

    async fn with(setup: Setup) -> Self {
        let upstream = Upstream::start().await;
        let setup = setup.append(format!(
            "upstreams:\n  shop:\n    url: http://{}\nfilters:\n  customers: {{type: identity-creation, domain: main}}\n\
             routes:\n  - name: shop\n    path: /shop/*\n    methods: [GET, POST]\n    filters: [customers]\n    \
             upstream: shop\n",
            upstream.address
        ));
        let gateway = setup.replace("start-page: /auth/login ", "start-page: /shop/start ").user("jeff").start().await;
        Self { gateway, upstream }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.public().base())
    }

    async fn log_in(&self, browser: &Browser) {
        browser.log_in("jeff", self.gateway.password("jeff")).await;
    }

    /// The login form's hidden return field, as a browser would get it for this page.
    async fn return_field(&self, path: &str) -> (String, String) {
        let page = self.gateway.public().get(path).header(HTML.0, HTML.1).send().await.text();
        let input = page.split("<input").find(|input| input.contains("hidden")).expect("a hidden field");
        let attribute = |name: &str| {
            let value = input.split_once(&format!("{name}=\"")).unwrap().1;
            value.split('"').next().unwrap().to_owned()
        };
        (attribute("name"), attribute("value"))
    }
}

#[tokio::test]
async fn an_intercepted_get_comes_back_with_its_query() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&shop.url("/shop/cart?item=7&note=a%20b")).await;
    assert!(browser.is_login_page().await, "{}", browser.text().await);
    assert!(shop.upstream.heads().is_empty(), "nothing is forwarded before the login");
    assert!(browser.page.get_all_cookies().await.unwrap().is_empty(), "nothing is stored before the login");
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/cart?item=7&note=a%20b HTTP/1.1").await;
    assert_eq!(browser.url().await, shop.url("/shop/cart?item=7&note=a%20b"));
    assert!(!shop.upstream.heads().concat().contains("sidegate-main"), "the session stays with the gateway");
    browser.close().await;
}

#[tokio::test]
async fn a_wrong_password_asks_again_and_then_leads_back() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&shop.url("/shop/cart?item=7")).await;
    browser.log_in("jeff", "not the password").await;
    wait::until("the login page again", wait::BOUND, async || browser.is_login_page().await.then_some(())).await;
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/cart?item=7 ").await;
    browser.close().await;
}

#[tokio::test]
async fn a_post_is_not_replayed_after_the_login() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&shop.url("/auth/login")).await;
    let form = "const form = document.createElement('form'); form.method = 'post'; form.action = '/shop/buy?all';
        document.body.append(form); form.submit();";
    browser.run(form).await;
    wait::until("the answer to the POST", wait::BOUND, async || {
        (browser.url().await == shop.url("/shop/buy?all") && browser.is_login_page().await).then_some(())
    })
    .await;
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/start ").await;
    assert!(
        shop.upstream.heads().iter().all(|head| head.starts_with("GET /shop/start ")),
        "{:?}",
        shop.upstream.heads()
    );
    browser.close().await;
}

#[tokio::test]
async fn two_tabs_come_back_each_to_its_own_page() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&shop.url("/shop/one?tab=1")).await;
    let first = browser.page.window().await.unwrap();
    let second = browser.page.new_window(true).await.unwrap().handle;
    browser.page.switch_to_window(second.clone()).await.unwrap();
    browser.go(&shop.url("/shop/two?tab=2")).await;
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/two?tab=2 ").await;
    browser.page.switch_to_window(first).await.unwrap();
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/one?tab=1 ").await;
    browser.page.switch_to_window(second).await.unwrap();
    browser.go(&shop.url("/shop/two?again")).await;
    browser.shows("protected: GET /shop/two?again ").await;
    browser.close().await;
}

#[tokio::test]
async fn back_after_logout_shows_nothing_protected() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&shop.url("/shop/secret?page")).await;
    shop.log_in(&browser).await;
    browser.shows("protected: GET /shop/secret?page ").await;
    browser.go(&shop.url("/auth/logout")).await;
    let button = browser.page.find(fantoccini::Locator::Css("form [type=submit]")).await.unwrap();
    button.click().await.unwrap();
    wait::until("the session is gone", wait::BOUND, async || {
        browser.page.get_all_cookies().await.unwrap().is_empty().then_some(())
    })
    .await;
    for _ in 0..3 {
        browser.page.back().await.unwrap();
        let text = browser.text().await;
        assert!(!text.contains("protected:"), "{text}");
    }
    browser.go(&shop.url("/shop/secret?page")).await;
    assert!(browser.is_login_page().await);
    browser.close().await;
}

#[tokio::test]
async fn a_form_on_a_foreign_page_logs_nobody_in() {
    let shop = Shop::open().await;
    let foreign = Upstream::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/", foreign.address)).await;
    let form = format!(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '{}';
         for (const [name, value] of [['isiwebuserid', 'jeff'], ['isiwebpasswd', '{}']]) {{
           const input = document.createElement('input'); input.name = name; input.value = value; form.append(input); }}
         document.body.append(form); form.submit();",
        // Another port is the same site to a browser, and another origin.
        shop.url("/auth/pwd"),
        shop.gateway.password("jeff")
    );
    browser.run(&form).await;
    wait::until("the answer", wait::BOUND, async || {
        browser.url().await.starts_with(&shop.url("/auth/pwd")).then_some(())
    })
    .await;
    assert!(browser.page.get_all_cookies().await.unwrap().is_empty());
    browser.go(&shop.url("/shop/cart")).await;
    assert!(browser.is_login_page().await);
    browser.close().await;
}

#[tokio::test]
async fn a_return_field_leads_only_where_the_gateway_sealed_it() {
    let shop = Shop::open().await;
    let (name, sealed) = shop.return_field("/shop/cart?item=7").await;
    let own = shop.gateway.public().base().to_owned();
    let post = async |field: &str| {
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", shop.gateway.password("jeff")), (&name, field)];
        let request = shop.gateway.public().post("/auth/pwd").form(&form).header("origin", &own);
        request.header(HTML.0, HTML.1).send().await
    };
    let good = post(&sealed).await;
    assert_eq!((good.status, good.header("location")), (303, Some("/shop/cart?item=7")));
    let (front, rest) = sealed.split_at(sealed.len() / 2);
    let flipped = if rest.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{front}{flipped}{}", &rest[1..]);
    let cut = sealed[..sealed.len() - 2].to_owned();
    for bad in
        [tampered, cut, "https://evil.example/".to_owned(), "//evil.example".to_owned(), "/shop/other".to_owned()]
    {
        let answer = post(&bad).await;
        let location = answer.header("location").unwrap_or_default();
        assert!(answer.status >= 400 || location == "/shop/start", "{} {location}", answer.status);
        assert!(!answer.text().contains("evil.example"));
    }
}

#[tokio::test]
async fn an_expired_form_leads_nowhere_and_logs_nobody_in() {
    let shop = Shop::with(Setup::default().replace("login-form: 30m", "login-form: 1s")).await;
    let own = shop.gateway.public().base().to_owned();
    let (name, sealed) = shop.return_field("/shop/cart?item=7").await;
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", shop.gateway.password("jeff")), (&name, &sealed)];
    let planted = shop.gateway.public().cookie("sidegate-main=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let refused = wait::until("the form is too old", wait::BOUND, async || {
        let answer = planted.post("/auth/pwd").form(&form).header("origin", &own).header(HTML.0, HTML.1).send().await;
        Some(answer).filter(|answer| answer.status != 303)
    })
    .await;
    assert_eq!((refused.status, refused.header("location"), refused.set_cookie()), (400, None, None));
    let page = refused.text();
    assert!(page.contains("This form was too old. Please log in again.") && !page.contains(&sealed), "{page}");
}

#[tokio::test]
async fn a_row_that_is_never_intercepted_shows_no_form() {
    let shop = Shop::open().await;
    let ask = async || shop.gateway.public().get("/shop/cart").header(HTML.0, HTML.1).send().await;
    let page = ask().await;
    assert!(page.status == 401 && page.text().contains("<form"), "{}: {}", page.status, page.text());
    let row = "    filters: [customers]\n    upstream: shop\n";
    shop.gateway.reconfigure(row, &format!("{row}    interception: never\n"));
    shop.gateway.reloaded("done", 1).await;
    let refused = ask().await;
    assert!(!refused.text().contains("<form"), "{}", refused.text());
    assert!(refused.header("www-authenticate").is_some() && refused.header("location").is_none());
    refused.problem(401);
    assert!(shop.upstream.heads().is_empty());
}

#[tokio::test]
async fn an_api_client_is_never_redirected() {
    let shop = Shop::open().await;
    let answer = shop.gateway.public().get("/shop/cart").header("accept", "application/json").send().await;
    assert!(answer.header("www-authenticate").is_some() && answer.header("location").is_none());
    answer.problem(401);
    assert!(shop.upstream.heads().is_empty());
}

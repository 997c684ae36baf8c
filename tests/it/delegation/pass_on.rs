//! What a caller showed reaches an upstream where its row says so, and nowhere else (`gateway.md` 2.3).

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::phone::Phone;
use crate::support::upstream::{Received, Upstream};

/// Rows before one upstream: `/kept` passes nothing on, `/cookie` and `/bearer` one each, `/open` the cookie of whoever has one.
async fn gateway(upstream: &Upstream) -> Gateway {
    let row = |name: &str, filter: &str, more: &str| {
        format!(
            "  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [{filter}], upstream: shop, on: [public, internal]{more}}}\n"
        )
    };
    Setup::default()
        .append(format!(
            "upstreams:\n  shop: {{url: \"http://{}\"}}\n\
             filters:\n  customers: {{type: identity-creation, domain: main, internal-callers: anybody}}\n\
             \x20 guests: {{type: identity-creation, domain: main, open: true}}\nroutes:\n{}{}{}{}",
            upstream.address,
            row("kept", "customers", ""),
            row("cookie", "customers", ", pass-on: [session-cookie]"),
            row("bearer", "customers", ", pass-on: [bearer]"),
            row("open", "guests", ", pass-on: [session-cookie, bearer]"),
        ))
        .user("jeff")
        .start()
        .await
}

/// What the upstream gets of a request.
async fn arrives(upstream: &Upstream, client: &Client, path: &str) -> Received {
    client.get(path).send().await.expect(200);
    upstream.received().pop().unwrap()
}

#[tokio::test]
async fn a_session_cookie_goes_on_where_its_row_says_so() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let own = phone.session().to_owned();
    for client in [gateway.public(), gateway.public_http2()] {
        let mine = client.cookie(&format!("theme=dark; {own}; sidegate-other=x; lang=de"));
        for (path, expected) in [
            ("/kept/a", "theme=dark; lang=de".to_owned()),
            ("/bearer/a", "theme=dark; lang=de".to_owned()),
            ("/cookie/a", format!("theme=dark; lang=de; {own}")),
            ("/open/a", format!("theme=dark; lang=de; {own}")),
        ] {
            assert_eq!(arrives(&upstream, &mine, path).await.values("cookie"), [expected], "{path}");
        }
        let dead = client.cookie("sidegate-main=dead; lang=de");
        assert_eq!(arrives(&upstream, &dead, "/open/a").await.values("cookie"), ["lang=de"]);
        let before = upstream.received().len();
        for path in ["/cookie/a", "/open/a"] {
            client.cookie(&format!("{own}; {own}")).get(path).send().await.problem(400);
            client.cookie(&own).get(path).header("cookie", "sidegate-main=planted").send().await.problem(400);
        }
        assert_eq!(upstream.received().len(), before);
    }
}

#[tokio::test]
async fn a_bearer_goes_on_where_its_row_says_so() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let answer = phone.try_login_uaf().await.uaf_code(1200);
    let token = answer["additionalTokens"][0]["value"].as_str().unwrap();
    for client in [gateway.public(), gateway.public_http2()] {
        let carried = client.bearer(token);
        for (path, expected) in
            [("/kept/a", None), ("/cookie/a", None), ("/bearer/a", Some(token)), ("/open/a", Some(token))]
        {
            let received = arrives(&upstream, &carried, path).await;
            let expected: Vec<_> = expected.map(|token| format!("Bearer {token}")).into_iter().collect();
            assert_eq!(received.values("authorization"), expected, "{path}");
        }
        let both = carried.cookie(phone.session());
        assert_eq!(arrives(&upstream, &both, "/bearer/a").await.values("authorization"), Vec::<&str>::new());
    }
    let internal = gateway.internal();
    for (path, fields) in [("/kept/a", 0), ("/cookie/a", 0), ("/bearer/a", 1)] {
        assert_eq!(arrives(&upstream, &internal, path).await.values("authorization").len(), fields, "{path}");
    }
}

//! The realm `forward` (`gateway.md` 3.1): an authentication service that is there already says who is calling.

mod guesses;
mod once;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, HTML};
use crate::support::logs::{access_line, audited, lines};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// A service that knows the users of a cookie and of tickets, and tells what it was asked.
struct Service {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    /// What it answers in place of the truth.
    script: Option<String>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        Self { address, listening: listen(listener, state.clone()), state }
    }

    /// Nothing listens there any more.
    async fn stop(&mut self) {
        self.listening.abort();
        let _ = (&mut self.listening).await;
    }

    /// It is there again.
    async fn again(&mut self) {
        self.listening = listen(TcpListener::bind(self.address).await.unwrap(), self.state.clone());
    }

    /// Every request so far, whole.
    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Answers with this from now on; nothing at all, where it is empty.
    fn says(&self, answer: &str) {
        self.state.lock().unwrap().script = Some(answer.to_owned());
    }

    /// Answers as it did at first.
    fn tells_the_truth(&self) {
        self.state.lock().unwrap().script = None;
    }
}

fn listen(listener: TcpListener, state: Arc<Mutex<State>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, state.clone()));
        }
    })
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let (mut request, mut piece) = (String::new(), [0; 4096]);
    loop {
        let Ok(length) = stream.read(&mut piece).await else { return };
        request.push_str(&String::from_utf8_lossy(&piece[..length]));
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        if body.len() >= field(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0) {
            break;
        }
    }
    let answer = {
        let mut state = state.lock().unwrap();
        state.asked.push(request.clone());
        state.script.clone().unwrap_or_else(|| truth(&request))
    };
    if answer.is_empty() {
        let _ = stream.read(&mut piece).await;
        return;
    }
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The only value of a header field.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn truth(request: &str) -> String {
    let shown = [field(request, "cookie"), field(request, "x-ticket"), field(request, "authorization")];
    let users = [("sso=jeff", "e-jeff"), ("t-eve", "e-eve"), ("Basic amVmZg==", "e-jeff")];
    let user = users.iter().find(|(mark, _)| shown.iter().flatten().any(|shown| shown.contains(mark)));
    match user {
        Some((_, user)) => {
            good(&format!("X-Auth-User: {user}\r\nX-Auth-Roles: teller, boss\r\nX-Auth-Name: n-{user}\r\n"))
        }
        None => answer(401, ""),
    }
}

fn good(fields: &str) -> String {
    answer(200, fields)
}

fn answer(status: u16, fields: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n{fields}\r\n")
}

struct Shop {
    gateway: Gateway,
    upstream: Upstream,
    service: Service,
}

impl Shop {
    async fn with(more: &str) -> Self {
        Self::after("", more).await
    }

    /// The realm comes after these realms.
    async fn after(realms: &str, more: &str) -> Self {
        let (upstream, service) = (Upstream::start().await, Service::start().await);
        let realm = format!(
            "{realms}  corporate:\n    type: forward\n    domain: main\n    upstream: verifier\n    path: /verify?x=1\n    \
             headers: [Cookie, X-Ticket, Authorization]\n    user: X-Auth-User\n    name: X-Auth-Name\n    roles: X-Auth-Roles\n{more}"
        );
        let row = |name: &str| {
            format!(
                "  - {{name: {name}, path: /{name}/*, methods: [GET, POST], filters: [{name}, told], upstream: shop}}\n"
            )
        };
        let rows = format!(
            "upstreams:\n  shop: {{url: \"http://{}\"}}\n  verifier: {{url: \"http://{}\"}}\nfilters:\n  \
             any: {{type: identity-creation, domain: main}}\n  \
             boss: {{type: identity-creation, domain: main, realms: [corporate], roles: [boss]}}\n  \
             open: {{type: identity-creation, domain: main, open: true}}\n  \
             fresh: {{type: identity-creation, domain: main, max-age: 10m}}\n  \
             strong: {{type: identity-creation, domain: main, level: 2}}\n  \
             told: {{type: delegation, rules: [\"AUTH:user.auth.UserId:X-User\", \"AUTH:user.auth.LoginId:X-Name\", \
             \"AUTH:user.auth.Roles:X-Roles\", \"SESSION:sid:X-Sid\"]}}\nroutes:\n{}{}{}{}{}",
            upstream.address,
            service.address,
            row("any"),
            row("boss"),
            row("open"),
            row("fresh"),
            row("strong")
        );
        let gateway = Setup::default().under("realms", realm).append(rows).user("jeff").start().await;
        Self { gateway, upstream, service }
    }

    async fn open() -> Self {
        Self::with("").await
    }

    async fn get(&self, path: &str, ticket: &str) -> Answer {
        self.gateway.public().get(path).header("x-ticket", ticket).send().await
    }

    fn told(&self, name: &str) -> Vec<String> {
        self.upstream.received().last().unwrap().values(name).into_iter().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn the_service_says_who_is_calling() {
    let shop = Shop::open().await;
    let cookie: Client = shop.gateway.public().cookie("theme=dark; sso=jeff; sidegate-main=AAAA");
    let request = cookie.get("/boss/a?b=c%20d").header("x-auth-user", "root").header("x-user", "root");
    request.header("x-harmless", "h").send().await.expect(200);
    assert_eq!(shop.told("x-user"), ["e-jeff"]);
    assert_eq!((shop.told("x-name"), shop.told("x-roles")), (vec!["n-e-jeff".into()], vec!["teller,boss".into()]));
    let asked = shop.service.asked();
    let [question] = &asked[..] else { panic!("{asked:#?}") };
    assert!(question.starts_with("GET /verify?x=1 HTTP/1.1\r\n"), "{question}");
    assert_eq!(field(question, "x-forwarded-method"), Some("GET"));
    assert_eq!(field(question, "x-forwarded-uri"), Some("/boss/a?b=c%20d"));
    assert_eq!(field(question, "x-forwarded-proto"), Some("http"));
    assert_eq!(field(question, "x-forwarded-host"), Some(&*shop.gateway.address("public").to_string()));
    assert_eq!(field(question, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(field(question, "cookie"), Some("theme=dark; sso=jeff"), "our session is none of its business");
    for unlisted in ["x-auth-user", "x-user", "x-harmless"] {
        assert_eq!(field(question, unlisted), None, "{unlisted}");
    }
    shop.get("/any/a", "t-eve").await.expect(200);
    assert!(shop.told("x-user") == ["e-eve"] && shop.told("x-ticket").is_empty(), "what was judged goes no further");
    shop.gateway.public().get("/any/a").header("authorization", "Basic amVmZg==").send().await.expect(200);
    assert!(shop.told("authorization").is_empty());
}

#[tokio::test]
async fn whoever_shows_nothing_or_something_unknown_is_nobody() {
    let shop = Shop::open().await;
    let told = shop.gateway.public().get("/any/a").send().await.expect(401);
    assert_eq!(told.header("www-authenticate"), Some("Bearer realm=\"main\""));
    assert!(shop.service.asked().is_empty(), "there was nothing to ask about");
    shop.get("/any/a", "t-other").await.problem(401);
    shop.get("/open/a", "t-other").await.expect(200);
    assert!(shop.told("x-user").is_empty());
    assert_eq!(shop.service.asked().len(), 2);
}

#[tokio::test]
async fn it_is_shown_no_session_of_ours_by_cookie_or_by_token() {
    let shop = Shop::open().await;
    let phone = Phone::enrolled(&shop.gateway, "jeff").await;
    let answer = phone.try_login_uaf().await.uaf_code(1200);
    let carried = shop.gateway.public().bearer(answer["additionalTokens"][0]["value"].as_str().unwrap());
    carried.get("/any/a").send().await.expect(200);
    for client in [&carried, &shop.gateway.public().cookie(phone.session())] {
        client.get("/boss/a").send().await.problem(401);
        assert!(shop.service.asked().is_empty(), "there was nothing to show");
    }
    carried.get("/boss/a").header("x-ticket", "t-eve").send().await.expect(200);
    let question = shop.service.asked().pop().unwrap();
    assert!(question.contains("t-eve") && field(&question, "authorization").is_none(), "{question}");
}

#[tokio::test]
async fn nothing_but_2xx_with_one_plain_name_lets_anybody_in() {
    let shop = Shop::with("    timeout: 300ms\n").await;
    let denied = [
        answer(200, ""),
        answer(200, "X-Auth-User: \r\nX-Auth-Name: a\r\n"),
        answer(200, "X-Auth-User: a\r\nX-Auth-User: b\r\nX-Auth-Name: a\r\n"),
        answer(200, "X-Auth-User: a\r\n"),
        answer(200, "X-Auth-User: a\tb\r\nX-Auth-Name: a\r\n"),
        answer(200, &format!("X-Auth-User: {}\r\nX-Auth-Name: a\r\n", "x".repeat(300))),
        answer(301, "Location: /else\r\nX-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(302, "Location: /else\r\nX-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(304, "X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(400, "X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(403, "X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(404, "X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
    ];
    for (count, answer) in denied.iter().enumerate() {
        shop.service.says(answer);
        shop.get("/any/a", "t-eve").await.problem(401);
        assert_eq!(shop.service.asked().len(), count + 1, "no redirect is followed: {answer}");
    }
    for undecided in [
        answer(500, "X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n"),
        answer(503, ""),
        answer(429, ""),
        "HTTP/1.1 200 OK\r\nX-Auth-User: e-jeff".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        String::new(),
    ] {
        shop.service.says(&undecided);
        for path in ["/any/a", "/open/a"] {
            let told = shop.get(path, "t-eve").await;
            assert_eq!(told.status, 503, "{undecided}");
        }
    }
    assert!(shop.upstream.received().is_empty());
    shop.service.says(&good("X-Auth-User: e-1\r\nX-Auth-Name: a\r\n"));
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.get("/boss/a", "t-eve").await.problem(403);
}

#[tokio::test]
async fn while_it_is_gone_only_what_it_said_holds_until_that_expires() {
    let mut shop = Shop::with("    cache: 3s\n").await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.service.stop().await;
    for path in ["/any/b", "/open/b"] {
        shop.get(path, "t-eve").await.problem(503);
    }
    wait::until("what it said expires", wait::BOUND, async || {
        let status = shop.get("/any/a", "t-eve").await.status;
        assert!([200, 503].contains(&status), "{status}");
        (status == 503).then_some(())
    })
    .await;
    let told = lines(&shop.gateway);
    let line =
        told.iter().find(|line| line["message"] == "an authentication service did not say who is calling").unwrap();
    assert_eq!((&line["realm"], &line["upstream"]), (&"corporate".into(), &"verifier".into()));
    assert_eq!(line["at"], format!("http://{}/verify", shop.service.address), "no query: {line}");
    assert!(line["reason"].as_str().unwrap().contains("onnect"), "{line}");
    let refused = "realm corporate: the authentication service at the upstream verifier is unavailable";
    assert!(told.iter().any(|line| line["error"] == refused), "{told:#?}");
    shop.service.again().await;
    shop.get("/any/a", "t-eve").await.expect(200);
    shop.get("/any/a", "unknown").await.problem(401);
}

#[tokio::test]
async fn an_answer_is_remembered_only_where_that_is_written_and_for_the_same_question() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        shop.get("/any/a", "t-eve").await.expect(200);
    }
    assert_eq!(shop.service.asked().len(), 2);
    let shop = Shop::with("    cache: 5m\n").await;
    for _ in 0..3 {
        shop.get("/any/a", "t-eve").await.expect(200);
        assert_eq!(shop.told("x-user"), ["e-eve"]);
    }
    assert_eq!(shop.service.asked().len(), 1);
    shop.service.says(&answer(401, ""));
    shop.get("/any/a", "t-eve").await.expect(200);
    for (path, ticket) in [("/any/b", "t-eve"), ("/any/a?x", "t-eve"), ("/any/a", "t-eve2"), ("/any/a", "T-eve")] {
        shop.get(path, ticket).await.problem(401);
    }
    shop.gateway.public().get("/any/a").header("x-ticket", "t-eve").header("cookie", "a=b").send().await.problem(401);
    shop.gateway.public().post("/any/a").header("x-ticket", "t-eve").send().await.problem(401);
    assert_eq!(shop.service.asked().len(), 7);
    for _ in 0..2 {
        shop.get("/any/c", "t-other").await.problem(401);
    }
    assert_eq!(shop.service.asked().len(), 9, "who was not let in is asked about again");
}

#[tokio::test]
async fn a_client_makes_itself_no_sessions_by_what_it_shows() {
    let sid = async |shop: &Shop, cookie: &str| {
        shop.gateway.public().cookie(cookie).get("/any/a").send().await.expect(200);
        let [sid] = &shop.told("x-sid")[..] else { panic!("one session") };
        sid.clone()
    };
    let shop = Shop::open().await;
    let first = sid(&shop, "sso=jeff").await;
    for cookie in ["sso=jeff; n=1", "n=2; sso=jeff", "sso=jeff; sso=jeff"] {
        assert_eq!(sid(&shop, cookie).await, first, "{cookie}");
    }
    shop.get("/any/a", "t-eve").await.expect(200);
    assert_ne!(shop.told("x-sid"), std::slice::from_ref(&first));

    // Where the service tells sessions apart, they are those that it says.
    let shop = Shop::with("    session: X-Auth-Session\n").await;
    let mut seen = vec![first];
    for session in ["one", "two"] {
        shop.service.says(&good(&format!("X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\nX-Auth-Session: {session}\r\n")));
        let here = sid(&shop, "sso=jeff").await;
        assert_eq!(sid(&shop, "sso=jeff; n=1").await, here);
        assert!(!seen.contains(&here));
        seen.push(here);
    }
    for nothing in ["", "X-Auth-Session: \r\n", "X-Auth-Session: a\r\nX-Auth-Session: b\r\n"] {
        shop.service.says(&good(&format!("X-Auth-User: e-jeff\r\nX-Auth-Name: a\r\n{nothing}")));
        shop.get("/any/a", "t-eve").await.problem(401);
    }
}

#[tokio::test]
async fn the_body_is_shown_where_that_is_written() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let post =
        async |body: String| shop.gateway.public().post("/any/a").header("x-ticket", "t-eve").body(body).send().await;
    post("signed by eve".to_owned()).await.expect(200);
    let question = shop.service.asked().pop().unwrap();
    assert!(question.starts_with("POST /verify?x=1 ") && question.ends_with("\r\n\r\nsigned by eve"), "{question}");
    assert_eq!(shop.upstream.received().pop().unwrap().body, b"signed by eve");
    post("x".repeat(1024)).await.expect(200);
    post("x".repeat(1025)).await.problem(413);
    let without = Shop::open().await;
    without.gateway.public().post("/any/a").header("x-ticket", "t-eve").body("words").send().await.expect(200);
    let question = without.service.asked().pop().unwrap();
    assert!(question.starts_with("GET ") && !question.contains("words"), "{question}");
}

#[tokio::test]
async fn the_log_tells_once_whom_the_service_named() {
    let shop = Shop::open().await;
    for _ in 0..2 {
        let answer = shop.get("/any/a", "t-eve").await.expect(200);
        assert_eq!(access_line(&shop.gateway, &answer).await["user"], "e-eve");
    }
    let told = audited(&shop.gateway, "login");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["realm"], &told[0]["user"]), (&"corporate".into(), &"e-eve".into()));
    // By what was shown: not for each question, but for other credentials of the same user, and of another by the same.
    let told = async |path: &str, credentials: (&str, &str)| {
        let answer = shop.gateway.public().get(path).header(credentials.0, credentials.1).send().await.expect(200);
        access_line(&shop.gateway, &answer).await;
        audited(&shop.gateway, "login").len()
    };
    assert_eq!(told("/boss/b?c", ("x-ticket", "t-eve")).await, 1);
    assert_eq!(told("/any/a", ("cookie", "sso=jeff")).await, 2);
    assert_eq!(told("/any/a", ("authorization", "Basic amVmZg==")).await, 3);
    assert_eq!(told("/any/b", ("cookie", "sso=jeff")).await, 3);
    shop.service.says(&good("X-Auth-User: e-1\r\nX-Auth-Name: a\r\n"));
    assert_eq!(told("/any/a", ("x-ticket", "t-eve")).await, 4);
    shop.service.tells_the_truth();
    let refused = shop.get("/boss/a", "t-nobody").await.expect(401);
    let line = access_line(&shop.gateway, &refused).await;
    assert_eq!((&line["refused_by"], &line["reason"]), (&"boss".into(), &"authentication-service".into()));
}

#[tokio::test]
async fn what_it_judged_reaches_no_upstream_in_another_spelling() {
    let shop = Shop::open().await;
    let request = shop.gateway.public().get("/any/a").header("x-ticket", "t-eve");
    let spellings = ["x_ticket", "x.ticket", "x-ticket_", "_x-ticket", "authorization_"];
    let request = spellings.iter().fold(request, |request, name| request.header(name, "t-boss"));
    request.header("x-tickets", "another").send().await.expect(200);
    assert_eq!(shop.told("x-user"), ["e-eve"]);
    for name in spellings {
        assert!(shop.told(name).is_empty(), "{name}");
    }
    assert_eq!(shop.told("x-tickets"), ["another"]);
}

#[tokio::test]
async fn a_body_is_held_only_where_it_is_asked_about_it() {
    let shop = Shop::with("    body: 1KiB\n").await;
    let client = shop.gateway.public();
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", shop.gateway.password("jeff"))];
    let session = client.post("/auth/pwd").form(&form).send().await.expect(200).session();
    let long = "x".repeat(20_000);
    let by_session = client.cookie(&session).post("/any/a").header("x-ticket", "t-eve").body(long.clone());
    by_session.send().await.expect(200);
    assert_eq!(shop.upstream.received().pop().unwrap().body.len(), long.len(), "a session decides before it");
    client.post("/any/a").body(long.clone()).send().await.problem(401);
    client.post("/open/a").body(long.clone()).send().await.expect(200);
    assert!(shop.service.asked().is_empty());
    client.post("/open/a").header("x-ticket", "t-eve").body(long).send().await.problem(413);
}

#[tokio::test]
async fn whom_it_names_below_the_demand_logs_in_as_anybody_does() {
    let shop = Shop::with("  approved: {type: oob, domain: main}\n").await;
    let client = shop.gateway.public();
    for path in ["/fresh/a", "/strong/a"] {
        let page = client.get(path).header("x-ticket", "t-eve").header(HTML.0, HTML.1).send().await.expect(401).text();
        assert!(page.contains("name=\"isiwebuserid\"") && !page.contains("n-e-eve"), "{path}: {page}");
        assert!(!page.contains("confirm that it is you"), "{path}: {page}");
        client.get(path).header("x-ticket", "t-eve").send().await.problem(401);
    }
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", shop.gateway.password("jeff"))];
    let session = client.post("/auth/pwd").form(&form).send().await.expect(200).session();
    client.cookie(&session).get("/fresh/a").header("x-ticket", "t-eve").send().await.expect(200);
    assert_eq!(shop.told("x-name"), ["jeff"], "a session goes first");
}

//! What the server behind is told of a caller is its business alone: nothing of it is in the log, which is searched at the
//! end of each test for what was registered here, whatever becomes of the request.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{House, ROUTES, before};
use crate::support::gateway::Setup;
use crate::support::http::{Client, JSON};
use crate::support::oob::by_link;
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::{Received, Upstream};
use crate::support::wait;

/// Every source and every encoding, and the SecToken in each.
const RULES: &str = "
      - AUTH:user.auth.SecToken:Authorization
      - AUTH:user.auth.SecToken:X-Ticket
      - AUTH:user.auth.SecToken:X-Ticket-Base64:base64
      - AUTH:user.auth.SecToken:X-Ticket-Url:urlencode
      - AUTH:user.auth.UserId:X-User
      - AUTH:user.auth.UserId:X-User-Base64:base64
      - AUTH:user.auth.LoginId:X-User-Name
      - AUTH:user.auth.LoginId:X-User-Name-Url:urlencode
      - SESSION:sid:X-Sid
      - CONST:SHARED:X-Shared
      - CONST:SHARED:X-Shared-Base64:base64
      - HEADER:X-Device:X-Device-Told
      - HEADER:X-Device:X-Device-Base64:base64";

/// The headers of these rules that no line may show.
const SECRET: [&str; 10] = [
    "authorization",
    "x-ticket",
    "x-ticket-base64",
    "x-ticket-url",
    "x-user-base64",
    "x-sid",
    "x-shared",
    "x-shared-base64",
    "x-device-told",
    "x-device-base64",
];

/// The user of these tests: a name that stands nowhere by chance.
const USER: &str = "jefferson.b+uaf@bank.example";

/// The sample with these rules in place of its own for users.
fn everything_told(setup: Setup, shared: &str) -> Setup {
    let rules = "
      - AUTH:user.auth.SecToken:Authorization
      - AUTH:user.auth.UserId:X-User
      - AUTH:user.auth.LoginId:X-User-Name:urlencode";
    setup.replace(rules, RULES.replace("SHARED", shared))
}

/// All that the server was told of the caller, in one text.
fn told(received: &Received) -> String {
    SECRET.iter().flat_map(|name| received.values(name)).collect::<Vec<_>>().join(" ")
}

type Answer = fn(&str) -> String;

/// Answers that quote what they were told, in every place of an answer, well formed and not; each ends with a reset.
const ANSWERS: &[(&str, Answer)] = &[
    ("whole", |told| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Echo: {told}\r\n\r\n{told}", told.len())),
    ("refused", |told| format!("HTTP/1.1 401 {told}\r\nWWW-Authenticate: Bearer {told}\r\nContent-Length: 0\r\n\r\n")),
    ("failed", |told| format!("HTTP/1.1 500 {told}\r\nContent-Length: {}\r\n\r\n{told}", told.len())),
    ("sent on", |told| format!("HTTP/1.1 302 Found\r\nLocation: /{told}\r\nContent-Length: 0\r\n\r\n")),
    ("cookies", |told| {
        format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: sidegate-main={told}\r\nSet-Cookie: {told}\r\nContent-Length: 0\r\n\r\n"
        )
    }),
    ("early", |told| {
        format!("HTTP/1.1 103 {told}\r\nLink: <{told}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }),
    ("early and no more", |told| format!("HTTP/1.1 103 Early Hints\r\nLink: <{told}>\r\n\r\n")),
    ("switching", |told| format!("HTTP/1.1 101 {told}\r\nConnection: upgrade\r\nUpgrade: {told}\r\n\r\n{told}")),
    ("no status line", |told| format!("{told}\r\n\r\n")),
    ("no status", |told| format!("HTTP/1.1 {told}\r\n\r\n")),
    ("no version", |told| format!("HTTP/{told} 200 OK\r\n\r\n")),
    ("no field", |told| format!("HTTP/1.1 200 OK\r\n{told}\r\n\r\n")),
    ("no field's name", |told| format!("HTTP/1.1 200 OK\r\nX {told}: a\r\n\r\n")),
    ("no field's value", |told| format!("HTTP/1.1 200 OK\r\nX-Echo: {told}\0\r\n\r\n")),
    ("no length", |told| format!("HTTP/1.1 200 OK\r\nContent-Length: {told}\r\n\r\n{told}")),
    ("two lengths", |told| format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: {told}\r\n\r\n{told}")),
    ("unknown framing", |told| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {told}\r\n\r\n{told}")),
    ("no chunk", |told| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{told}\r\n")),
    ("no trailers", |told| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{told}\r\n\r\n")),
    ("long", |told| format!("HTTP/1.1 200 OK\r\nX-Echo: {}\r\n\r\n", told.repeat(200))),
    ("half a head", |told| format!("HTTP/1.1 200 OK\r\nX-Echo: {told}")),
    ("half a body", |told| format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{told}")),
    ("half the chunks", |told| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{told}\r\n", told.len())
    }),
    ("nothing", |_| String::new()),
];

/// A gateway that tells everything, its user's phone, and what the phone says of its device.
struct Told {
    house: House,
    jeff: Phone,
    device: String,
}

impl Told {
    async fn open() -> Self {
        let upstream = Upstream::start().await;
        let [shared, device] = [(); 2].map(|()| uuid::Uuid::new_v4().simple().to_string());
        let setup = everything_told(before(upstream.address).append(ROUTES), &shared);
        let setup = setup.replace("  fido-server:\n", "  fido-server:\n    read-timeout: 2s\n");
        let house = House { gateway: setup.user(USER).start().await, upstream };
        let mut jeff = Phone::new(&house.gateway, USER);
        jeff.login_password().await;
        house.gateway.secrets().add("device", &device);
        house.gateway.secrets().add("shared", &shared);
        Self { house, jeff, device }
    }

    /// The user's session, over both protocols.
    fn clients(&self) -> [Client; 2] {
        [self.jeff.client(), self.house.gateway.public_http2().cookie(self.jeff.session())]
    }

    /// Asks the server behind on a row whose body is read here and on one whose body is not; its answer may be none.
    async fn ask(&self, client: &Client, held: bool) -> Option<u16> {
        let path = if held { "token/dispatch/registration" } else { "token/redeem/authentication" };
        let basic = STANDARD.encode(format!("{USER}:{}", self.device));
        self.house.gateway.secrets().add("Basic", &basic);
        let request = client.post(&format!("/nevisfido/{path}")).header("content-type", JSON);
        let request = request.header("x-device", &self.device).header("authorization", &format!("Basic {basic}"));
        let answer = request.body(by_link(USER).to_string()).try_send().await;
        self.register();
        Some(answer.ok()?.status)
    }

    /// Has the log searched for all that the server was told.
    fn register(&self) {
        for received in self.house.upstream.received() {
            for name in SECRET {
                for value in received.values(name) {
                    self.house.gateway.secrets().add(name, value.strip_prefix("Bearer ").unwrap_or(value));
                }
            }
        }
    }

    /// The lines without those of the audit and of requests, which name users by their extId.
    fn log_of_errors(&self) -> String {
        let log = self.house.gateway.log();
        let names_users = |line: &Value| line["target"] == "audit" || line["target"] == "access";
        let lines = log.lines().filter(|line| serde_json::from_str(line).is_ok_and(|line| !names_users(&line)));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Waits until the log has the access lines of so many requests, or more.
    async fn logged(&self, requests: usize) {
        let lines =
            async || (self.house.gateway.log().matches(r#""target":"access""#).count() >= requests).then_some(());
        wait::until("the access lines", wait::BOUND, lines).await;
    }
}

#[tokio::test]
async fn nothing_that_the_server_is_told_is_in_the_log_whatever_it_answers() {
    let mut front = Told::open().await;
    let ways: Vec<_> =
        front.clients().into_iter().flat_map(|client| [true, false].map(|held| (client.clone(), held))).collect();
    for (client, held) in &ways {
        for (what, answer) in ANSWERS {
            let before = front.house.upstream.received().len();
            front.house.upstream.say_next(|received| answer(&told(received)));
            front.ask(client, *held).await;
            let arrived = front.house.arrived_since(before).unwrap_or_else(|| panic!("{what}: it did not arrive"));
            assert!(SECRET.iter().all(|name| arrived.values(name).len() == 1), "{what}: {}", arrived.head);
        }
        front.house.upstream.hang_next();
        assert_eq!(front.ask(client, *held).await, Some(504));
    }
    front.house.upstream.close().await;
    for (client, held) in &ways {
        assert_eq!(front.ask(client, *held).await, Some(502));
    }
    front.logged(ways.len() * (ANSWERS.len() + 2)).await;
    front.assert_errors_are_told_without_who_it_was();
    front.assert_a_planted_one_is_found();
}

impl Told {
    /// The lines of the error paths; the audit and the lines of requests alone name the user.
    fn assert_errors_are_told_without_who_it_was(&self) {
        let log = self.log_of_errors();
        for line in ["an upstream failed", "an upstream broke its answer off"] {
            assert!(log.contains(line), "{line}: {log}");
        }
        let who = Secrets::default();
        who.add("extId", self.jeff.ext_id());
        who.add("name", USER);
        assert_eq!(who.leaks(&log), []);
        assert_ne!(who.leaks(&self.house.gateway.log()), [], "the audit names the user");
    }

    /// Each value in each spelling, among the lines that there are.
    fn assert_a_planted_one_is_found(&self) {
        let (log, secrets) = (self.house.gateway.log(), self.house.gateway.secrets());
        assert_eq!(secrets.leaks(&log), []);
        let received = self.house.upstream.received();
        let values: BTreeSet<_> = received.iter().flat_map(|got| SECRET.map(|name| got.values(name)[0])).collect();
        for value in values {
            let encoded = STANDARD.encode(value);
            for planted in [value, &encoded, &format!(r#"{{"level":"TRACE","sent":{value:?}}}"#)] {
                assert_ne!(secrets.leaks(&format!("{planted}\n")), [], "{planted}");
            }
        }
    }
}

//! Two session domains on one host, with logins of their own (`gateway.md` 3.1, 3.2): the sample `conf/domains.yml`.

mod apart;
mod cookies;
mod crowd;
mod rows;

use crate::support::approvals::{Visitor, approve};
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

/// One of the two.
#[derive(Debug, Clone, Copy)]
struct Side {
    cookie: &'static str,
    /// Below it one logs in.
    logins: &'static str,
    /// For whoever is logged in.
    page: &'static str,
    /// For whoever was approved by a phone.
    raised: &'static str,
}

const MAIN: Side =
    Side { cookie: "__Host-sidegate-main", logins: "/auth", page: "/bank/account?a=b", raised: "/bank/payments/new" };
const PARTNERS: Side = Side {
    cookie: "__Host-sidegate-partners",
    logins: "/auth/partners",
    page: "/partners/list?a=b",
    raised: "/partners/contracts/new",
};
/// Each with the other beside it.
const SIDES: [(Side, Side); 2] = [(MAIN, PARTNERS), (PARTNERS, MAIN)];

impl Side {
    fn at(self, row: &str) -> String {
        format!("{}/{row}", self.logins)
    }

    /// The value of its cookie.
    fn id(self, browser: &Visitor) -> String {
        browser.jar[self.cookie].clone()
    }

    /// The cookie with this value.
    fn with(self, value: &str) -> String {
        format!("{}={value}", self.cookie)
    }

    /// Whether the answer makes the browser forget this cookie, and touches no other.
    fn clears(self, answer: &Answer) -> bool {
        let field = answer.header("set-cookie").unwrap_or_default();
        answer.set_cookie() == Some(self.with("")) && field.contains("Max-Age=0")
    }
}

/// A gateway with both, and what stands behind.
struct House {
    gateway: Gateway,
    upstream: Upstream,
}

impl House {
    async fn open() -> Self {
        Self::with(|setup| setup).await
    }

    async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::start().await;
        let behind = format!("http://{}", upstream.address);
        let setup = Setup::sample("domains.yml")
            .replace("public-url: https://localhost:8443", "public-url: https://127.0.0.1:PUBLIC_PORT")
            .replace("http://127.0.0.1:9000", behind.clone())
            .replace("http://127.0.0.1:9001", behind)
            .user("jeff")
            .user("eve");
        Self { gateway: change(setup).start().await, upstream }
    }

    fn browser(&self) -> Visitor {
        Visitor::of(&self.gateway)
    }

    /// A client with these cookies, written as they are.
    fn client(&self, cookies: &str) -> Client {
        self.gateway.public().cookie(cookies)
    }

    async fn log_in(&self, browser: &mut Visitor, side: Side, user: &str) {
        let form = [("isiwebuserid", user), ("isiwebpasswd", self.gateway.password(user))];
        browser.post(&side.at("pwd"), &form).await.expect(303);
    }

    /// A browser of this user, logged in to both.
    async fn in_both(&self, user: &str) -> Visitor {
        let mut browser = self.browser();
        self.log_in(&mut browser, MAIN, user).await;
        self.log_in(&mut browser, PARTNERS, user).await;
        browser
    }

    /// What the server behind is told of whoever asks for a page: session and level; the status of whoever does not pass.
    async fn told(&self, client: &Client, page: &str) -> Result<(String, String), u16> {
        let answer = client.get(page).send().await;
        if answer.status != 200 {
            return Err(answer.status);
        }
        let received = self.upstream.received();
        let of = |name: &str| received.last().unwrap().values(name)[0].to_owned();
        Ok((of("x-session"), of("x-level")))
    }

    /// The session with the page of this side.
    async fn session(&self, client: &Client, side: Side) -> Result<String, u16> {
        self.told(client, side.page).await.map(|(sid, _)| sid)
    }

    /// The browser, which is logged in, asks for more and the phone approves.
    async fn step_up(&self, browser: &mut Visitor, side: Side, phone: &Phone) {
        let there = side.at("oob");
        let asked = browser.ask_at(&there, side.raised, None).await.expect(303);
        assert_eq!(asked.header("location"), Some(&*there));
        let link = browser.link_at(&there).await;
        approve(&self.gateway, phone, &link).await;
        assert_eq!(browser.get(&there).await.expect(303).header("location"), Some(side.raised));
    }
}

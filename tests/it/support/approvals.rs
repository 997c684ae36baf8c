//! Logins of browsers that phones approve: what a browser and the phone beside it do.

use std::collections::BTreeMap;

use super::gateway::{Gateway, Setup};
use super::http::{Answer, Client, HTML};
use super::oob::{payload, redeem};
use super::phone::Phone;
use super::upstream::Upstream;

const LOGIN: &str = "sidegate-main.login";
const SESSION: &str = "sidegate-main";

/// A bank behind a gateway with the realm: a row for whoever is logged in, and one for phones.
pub(crate) struct Bank {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
}

impl Bank {
    /// With users jeff and eve, and this much more in the realm.
    pub(crate) async fn open(realm: &str) -> Self {
        Self::with(Setup::default(), realm).await
    }

    pub(crate) async fn with(setup: Setup, realm: &str) -> Self {
        let upstream = Upstream::start().await;
        let rows = format!(
            "upstreams:\n  bank: {{url: \"http://{}\"}}\nfilters:\n  customers: {{type: identity-creation, domain: main}}\n  \
             payers: {{type: identity-creation, domain: main, level: 2}}\n  told: {{type: delegation, rules: \
             [\"SESSION:sid:X-Sid\", \"AUTH:user.auth.AuthLevel:X-Level\", \"AUTH:user.auth.UserId:X-User\"]}}\n\
             routes:\n  - {{name: bank, path: /bank/*, methods: [GET], filters: [customers, told], upstream: bank}}\n  \
             - {{name: pay, path: /pay/*, methods: [GET], filters: [payers, told], upstream: bank}}\n",
            upstream.address
        );
        let realm = format!("  oob: {{type: oob, domain: main{realm}}}\n");
        let setup = setup.under("realms", realm).append(rows).user("jeff").user("eve");
        Self { gateway: setup.start().await, upstream }
    }

    /// A browser that has been nowhere yet.
    pub(crate) fn browser(&self) -> Visitor {
        Visitor::of(&self.gateway)
    }

    /// What the bank was told of the last request: session, level.
    pub(crate) fn told(&self) -> (String, String) {
        let received = self.upstream.received();
        let of = |name: &str| received.last().unwrap().values(name)[0].to_owned();
        (of("x-sid"), of("x-level"))
    }
}

/// A browser without pages: it keeps cookies, and follows nothing by itself.
#[derive(Clone)]
pub(crate) struct Visitor {
    client: Client,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn of(gateway: &Gateway) -> Self {
        Self { client: gateway.public(), jar: BTreeMap::new() }
    }

    /// The client, with the cookies of the jar.
    pub(crate) fn client(&self) -> Client {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { self.client.clone() } else { self.client.cookie(&pairs.join("; ")) }
    }

    /// Takes over the cookies that an answer sets.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for field in answer.headers.get_all("set-cookie") {
            let field = field.to_str().unwrap();
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            if field.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.client().get(path).header(HTML.0, HTML.1).send().await;
        self.keep(&answer);
        answer
    }

    /// Sends a form from a page of ours.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.client().post(path).form(form).header(HTML.0, HTML.1);
        let answer = request.header("sec-fetch-site", "same-origin").send().await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn log_in(&mut self, gateway: &Gateway, user: &str) {
        let form = [("isiwebuserid", user), ("isiwebpasswd", gateway.password(user))];
        self.post("/auth/pwd", &form).await.expect(303);
    }

    /// Asks on the page that a row shows for a login of this user, or for the phone of whose session it is.
    pub(crate) async fn ask(&mut self, page: &str, user: Option<&str>) -> Answer {
        self.ask_at("/auth/oob", page, user).await
    }

    /// The same of a domain whose browsers ask there.
    pub(crate) async fn ask_at(&mut self, there: &str, page: &str, user: Option<&str>) -> Answer {
        let field = hidden(&self.get(page).await.expect(401).text());
        let named = user.map(|user| ("isiwebuserid", user));
        self.post(there, &named.into_iter().chain([("return", &*field)]).collect::<Vec<_>>()).await
    }

    /// The same where it must succeed; gives the link that is waited for.
    pub(crate) async fn asks(&mut self, page: &str, user: Option<&str>) -> String {
        let asked = self.ask(page, user).await.expect(303);
        assert_eq!(asked.header("location"), Some("/auth/oob"));
        assert!(self.login_cookie().is_some(), "{:?}", self.jar);
        self.link().await
    }

    /// The link on the page that waits.
    pub(crate) async fn link(&mut self) -> String {
        self.link_at("/auth/oob").await
    }

    /// The same of a domain whose browsers wait there.
    pub(crate) async fn link_at(&mut self, there: &str) -> String {
        let page = self.get(there).await.expect(200).text();
        assert!(page.contains("http-equiv=\"refresh\""), "{page}");
        let link = page.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        self.client.secrets().add("link", link.split_once("dispatchTokenResponse=").unwrap().1);
        self.client.secrets().add("token", payload(&link)["nma_data"]["token"].as_str().unwrap());
        link
    }

    pub(crate) fn login_cookie(&self) -> Option<&String> {
        self.jar.get(LOGIN)
    }

    pub(crate) fn session_cookie(&self) -> Option<&String> {
        self.jar.get(SESSION)
    }

    /// The same cookie of a login, in another browser.
    pub(crate) fn only_login_cookie(&self) -> Self {
        let jar = self.jar.iter().filter(|(name, _)| *name == LOGIN);
        Self { jar: jar.map(|(name, value)| (name.clone(), value.clone())).collect(), ..self.clone() }
    }
}

/// What stands in the hidden field of a form.
pub(crate) fn hidden(page: &str) -> String {
    let input = page.split("<input").find(|input| input.contains("hidden")).expect("a hidden field");
    input.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

/// The UAF request behind a link.
pub(crate) async fn open_link(gateway: &Gateway, link: &str) -> serde_json::Value {
    let token = payload(link)["nma_data"]["token"].as_str().unwrap().to_owned();
    redeem(&gateway.public(), "authentication", &token).await.uaf_code(1200)
}

/// The phone's user opens the link and says yes.
pub(crate) async fn approve(gateway: &Gateway, phone: &Phone, link: &str) {
    phone.authenticate(&open_link(gateway, link).await).await.uaf_code(1200);
}

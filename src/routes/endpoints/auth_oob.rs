//! `/auth/oob`: POST asks for a login that the phone approves, GET shows how it stands and in the end logs the browser in
//! (`gateway.md` 3.1).

mod not_asked;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use sidegate_filters::identity_creation::{Challenge, LoginUnderWay, ReturnTarget};
use sidegate_filters::{Exchange, Problem, Reply};

use super::answers::{Outcome, reply, to_the_end};
use super::asker::asker;
use super::auth_answer::{cross_site, see_other, session};
use super::form::Form;
use super::problems::{internal, login};
use crate::identity::goal::Goal;
use crate::identity::login_page::{LoginForm, Notice};
use crate::identity::oob::{Asked, Browser, NotApproved, Standing};
use crate::identity::{LoginPages, OobRealm};
use crate::oob::{DispatchAnswer, DispatchToken, Tokens};
use crate::routes::{Endpoint, Media, Medium};
use not_asked::NotAsked;

/// Logins that phones approve.
pub struct Approvals {
    realm: OobRealm,
    tokens: Arc<Tokens>,
    pages: Arc<LoginPages>,
}

impl Approvals {
    /// Logs in through `realm` by tokens of `tokens`, with forms of `pages`.
    #[must_use]
    pub fn new(realm: OobRealm, tokens: Arc<Tokens>, pages: Arc<LoginPages>) -> Self {
        Self { realm, tokens, pages }
    }

    fn clearing(&self, exchange: &Exchange) -> Result<HeaderValue, Problem> {
        self.realm.clearing_cookie(exchange.client.secure).map_err(|error| login(&error))
    }

    /// The form once more, with what helps.
    fn once_more(&self, exchange: &Exchange, problem: Problem, form: &LoginForm<'_>) -> Outcome {
        let session = session(exchange).map(|session| &**session);
        let mut page = self.pages.ask(problem.status, session, form).map_err(|error| internal(&error))?;
        page.headers_mut().extend(problem.headers);
        Ok(page)
    }
}

/// POST: makes the operation, and leads to where its approval is waited for.
pub struct OobLoginEndpoint(pub Arc<Approvals>);

impl OobLoginEndpoint {
    async fn log_in(&self, exchange: &Exchange) -> Outcome {
        let form = Form::parse(exchange.body.as_deref().unwrap_or_default());
        let form = form.map_err(|error| Problem::bad_request(error.to_string()))?;
        // Nobody has an empty name, so an empty field is one that was left out.
        let name = form.get("isiwebuserid").filter(|name| !name.is_empty());
        let pages = &self.0.pages;
        let (goal, asked) = match pages.open(form.get("return")) {
            Ok(goal) => {
                let asked = self.ask(exchange, name, &goal).await;
                (goal, asked)
            }
            Err(error) => (pages.start().clone(), Err(error.into())),
        };
        asked.or_else(|refused| {
            let (problem, notice) = refused.told(self.0.realm.domain());
            let name = name.unwrap_or_default();
            self.0.once_more(exchange, problem, &LoginForm { goal: &goal, name, notice: Some(notice) })
        })
    }

    async fn ask(&self, exchange: &Exchange, name: Option<&str>, goal: &Goal) -> Result<Response<Bytes>, NotAsked> {
        let Approvals { realm, tokens, .. } = &*self.0;
        let own = session(exchange).map(|session| session.name.as_str());
        let counted = name.or(own).ok_or(NotAsked::Unnamed)?;
        let ticket = realm.admit(counted, exchange.client.address).map_err(NotAsked::TooMany)?;
        let asker = asker(exchange, false);
        let permit = match tokens.permit_login(&asker, name, realm.domain()).await.map_err(NotAsked::from) {
            // Whoever asks for users who are not there fails as with a wrong password.
            Err(NotAsked::Unknown) => return Err(NotAsked::Unknown),
            permit => {
                ticket.unused();
                permit?
            }
        };
        let user = permit.user().ok_or(NotAsked::Unnamed)?;
        let era = realm.era(&user.ext_id).await?;
        match tokens.log_in(&asker, &permit, era, realm.dispatcher()).await? {
            DispatchAnswer::Dispatched { token, .. } => {
                let asked = Asked { token: token.expose(), goal: goal.clone() };
                let cookie = realm.cookie(&asked, exchange.client.secure)?;
                let mut response = see_other(&self.0.pages.row("/oob"))?;
                response.headers_mut().append(header::SET_COOKIE, cookie);
                Ok(response)
            }
            DispatchAnswer::Not(_) => Err(NotAsked::NotDispatched),
        }
    }
}

#[async_trait]
impl Endpoint for OobLoginEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Form], gives: &[Medium::Html] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        if let Some(refused) = cross_site(&exchange, &self.0.pages, true) {
            return refused;
        }
        reply(self.log_in(&exchange).await)
    }
}

/// GET: how the login stands, for the browser that asked for it.
pub struct OobStandingEndpoint(pub Arc<Approvals>);

impl OobStandingEndpoint {
    async fn look(&self, exchange: &Exchange) -> Outcome {
        let shown = exchange.proofs.get::<LoginUnderWay>();
        let asked = shown.and_then(|cookie| self.0.realm.open(cookie.0.expose()));
        let asked = asked.and_then(|asked| Some((DispatchToken::parse(&asked.token)?, asked.goal)));
        let Some((token, goal)) = asked else { return self.over(exchange) };
        match self.standing(exchange, &token).await? {
            Standing::Asked => {
                let link = self.0.tokens.shown(&token, self.0.realm.dispatcher());
                Ok(self.0.pages.approval(link.as_deref()))
            }
            Standing::Opened => Ok(self.0.pages.approval(None)),
            Standing::LoggedIn(done) => self.lead(exchange, &goal.target, done.set_cookie),
            Standing::Told => self.lead(exchange, &goal.target, None),
            Standing::Failed(why) => self.failed(exchange, &goal, notice(why)),
            Standing::Unknown => self.over(exchange),
        }
    }

    async fn standing(&self, exchange: &Exchange, token: &DispatchToken) -> Result<Standing, Problem> {
        let id = self.0.tokens.operation_of(token).map_err(|error| internal(&error))?;
        let (approvals, presented) = (Arc::clone(&self.0), session(exchange).cloned());
        let (secure, address) = (exchange.client.secure, exchange.client.address);
        // The end is told once: whoever goes away meanwhile finds the session all the same.
        let work = async move {
            let browser = Browser { presented: presented.as_ref(), secure, address };
            approvals.realm.look(id, browser).await
        };
        to_the_end(work).await?.map_err(|error| login(&error))
    }

    fn lead(&self, exchange: &Exchange, target: &ReturnTarget, session: Option<HeaderValue>) -> Outcome {
        let mut response = see_other(target.as_str()).map_err(|error| internal(&error))?;
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, self.0.clearing(exchange)?);
        if let Some(session) = session {
            headers.append(header::SET_COOKIE, session);
        }
        Ok(response)
    }

    fn failed(&self, exchange: &Exchange, goal: &Goal, notice: Notice) -> Outcome {
        let domain = self.0.realm.domain();
        let problem = Problem::unauthorized("the login was not approved", Challenge::Session(domain).value());
        let mut page = self.0.once_more(exchange, problem, &LoginForm { goal, name: "", notice: Some(notice) })?;
        page.headers_mut().append(header::SET_COOKIE, self.0.clearing(exchange)?);
        Ok(page)
    }

    /// For a browser that asked for nothing that is known here.
    fn over(&self, exchange: &Exchange) -> Outcome {
        if let Some(session) = session(exchange) {
            let mut page = self.0.pages.logged_in(session);
            page.headers_mut().append(header::SET_COOKIE, self.0.clearing(exchange)?);
            return Ok(page);
        }
        self.failed(exchange, self.0.pages.start(), Notice::Over)
    }
}

#[async_trait]
impl Endpoint for OobStandingEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Html] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.look(&exchange).await)
    }
}

fn notice(why: NotApproved) -> Notice {
    match why {
        NotApproved::Denied | NotApproved::Refused => Notice::NotApproved,
        NotApproved::TimedOut => Notice::TimedOut,
        NotApproved::Void => Notice::Over,
    }
}

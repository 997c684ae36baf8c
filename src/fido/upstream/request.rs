//! Requests: asked with a context of our own making, read strictly, and what they issued kept.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sidegate_filters::clock::Millis;
use sidegate_uaf::relay::{self, Issue};
use sidegate_uaf::wire::{DeregisterAuthenticator, GetUafRequest, Operation, ReturnUafRequest, Transaction};
use sidegate_uaf::{Error, StatusCode};

use super::super::context::DEFAULT_POLICY;
use super::super::{Ask, Commission, FidoError, Scope, Subject, UafRequest, internal, renderings};
use super::keys::{before, named};
use super::transport::Place;
use super::{Upstream, refused_there};
use crate::store::operation::{ChallengeState, Purpose};
use crate::store::{ChallengeDigest, SourceNetwork, StoreError};

/// After so long a registration is over at the upstream too, whatever became of it.
const SETTLED: Duration = Duration::from_secs(60 * 60);

/// The context of a request, whatever the client's said.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "renderings::serialize")]
    transaction: &'a [Transaction],
    #[serde(flatten)]
    scope: Option<serde_json::Value>,
}

impl Upstream {
    /// Fetches the request of a registration or an authentication.
    pub(super) async fn fetch(&self, commission: &Commission<'_>) -> Result<(UafRequest, ChallengeState), FidoError> {
        let user = commission.user.as_ref();
        if user.is_none() && commission.purpose == Purpose::InBandLogin {
            tracing::info!("a login without a name: only the UAF upstream would know who answered");
            return Err(FidoError::Refused(StatusCode::UNAUTHORIZED));
        }
        let username = user.map(|user| user.called(self.settings.username));
        let policy = commission.ask.policy().filter(|name| *name != DEFAULT_POLICY);
        let (request, issue) = match commission.ask {
            Ask::Registration { .. } => {
                let user = user.ok_or(FidoError::Refused(StatusCode::UNAUTHORIZED))?;
                self.may_have_another(user).await?;
                let told = Told { username, policy, ..Told::default() };
                let request = self.ask(&self.place(commission.from)?, Operation::Reg, &told).await?;
                let issue = Issue::registration(&request.message).map_err(|fault| unfit(&fault))?;
                (request, issue)
            }
            Ask::Authentication { transaction, .. } => {
                let told = Told { username, policy, transaction, scope: None };
                let request = self.ask(&self.place(commission.from)?, Operation::Auth, &told).await?;
                let issue = Issue::authentication(&request.message, transaction).map_err(|fault| unfit(&fault))?;
                user.map_or(Ok(()), |user| self.note_keys(user, &issue))?;
                (request, issue)
            }
            Ask::Deregistration(_) => return Err(internal(&"a deregistration has no challenge")),
        };
        let state = serde_json::to_vec(&issue).map_err(|error| internal(&error))?;
        self.standing.fetch_max(issue.standing_length(), Ordering::Relaxed);
        self.remember(commission, &issue).await?;
        Ok((request, ChallengeState(state.into())))
    }

    /// Remembers whose keys a request names. One for a user names some: else nobody could tell who answers.
    fn note_keys(&self, user: &Subject, issue: &Issue) -> Result<(), FidoError> {
        if !issue.names_keys() {
            tracing::warn!("the UAF upstream's request for a user names no keys: nobody could tell who answers");
            return Err(FidoError::Refused(StatusCode::INTERNAL));
        }
        self.named.note(&user.ext_id, issue.named_keys());
        Ok(())
    }

    /// Has the upstream remove keys; what we know of them goes too. Where it has none of them, those on record were
    /// removed before and its message got lost: the phone is told from the record. Of keys whose registration failed only
    /// its word that they are gone counts, and only once the registration is surely over.
    pub(super) async fn remove(
        &self,
        user: &Subject,
        scope: &Scope,
        from: Option<SourceNetwork>,
    ) -> Result<UafRequest, FidoError> {
        let settled = before(self.clock.now(), SETTLED);
        match self.remove_there(&self.place(from)?, user, scope).await {
            Err(missing @ FidoError::Refused(StatusCode::NOT_FOUND)) => {
                let retired = self.retire(user, scope, Millis(i64::MIN)).await?;
                let (app_id, keys) = named(&retired)?.ok_or(missing)?;
                let message = relay::deregistration(app_id, &keys);
                Ok(UafRequest { message, operation: Operation::Dereg, lifetime_millis: None })
            }
            removed => {
                let request = removed?;
                self.retire(user, scope, settled).await?;
                Ok(request)
            }
        }
    }

    /// Has the upstream remove keys.
    pub(super) async fn remove_there(
        &self,
        place: &Place,
        user: &Subject,
        scope: &Scope,
    ) -> Result<UafRequest, FidoError> {
        let username = Some(user.called(self.settings.username));
        let told = Told { username, scope: Some(mode(scope)), ..Told::default() };
        let request = self.ask(place, Operation::Dereg, &told).await?;
        relay::check_deregistration(&request.message, &asked(scope)).map_err(|fault| unfit(&fault))?;
        Ok(UafRequest { lifetime_millis: None, ..request })
    }

    async fn ask(&self, place: &Place, operation: Operation, told: &Told<'_>) -> Result<UafRequest, FidoError> {
        let context = serde_json::to_string(told).map_err(|error| internal(&error))?;
        let question = GetUafRequest { op: Some(operation), previous_request: None, context: Some(context) };
        let path = match operation {
            Operation::Reg => "request/registration",
            Operation::Auth => "request/authentication",
            Operation::Dereg => "request/deregistration",
        };
        let answer: ReturnUafRequest =
            place.post(path, &question).await.map_err(|_| FidoError::Refused(StatusCode::INTERNAL))?;
        match (answer.status_code, answer.uaf_request) {
            (StatusCode::OK, Some(message)) => {
                let ours = u64::try_from(self.settings.answer.as_millis()).unwrap_or(u64::MAX);
                let lifetime = answer.lifetime_millis.map_or(ours, |theirs| theirs.min(ours));
                Ok(UafRequest { message, operation, lifetime_millis: Some(lifetime) })
            }
            (StatusCode::OK, None) => Err(unfit(&Error::NotUaf("no uafRequest"))),
            (code, _) => Err(refused_there(code)),
        }
    }

    /// The challenge of another operation would lead its answer here.
    async fn remember(&self, commission: &Commission<'_>, issue: &Issue) -> Result<(), FidoError> {
        let until = self.clock.now().after(self.settings.remembered);
        let Commission { id, origin, growth, .. } = commission;
        match self.challenges.remember(digest(issue), *id, until, origin, *growth).await {
            Err(StoreError::Exists) => {
                tracing::warn!("the UAF upstream issued a challenge that it issued before");
                Err(FidoError::Refused(StatusCode::INTERNAL))
            }
            remembered => Ok(remembered?),
        }
    }

    /// What was remembered beside this state.
    pub(super) async fn forget(&self, challenge: &ChallengeState) -> Result<(), FidoError> {
        let issue: Issue = serde_json::from_slice(&challenge.0).map_err(|error| internal(&error))?;
        Ok(self.challenges.forget(digest(&issue)).await?)
    }
}

fn digest(issue: &Issue) -> ChallengeDigest {
    ChallengeDigest::of(issue.challenge().as_bytes())
}

fn mode(scope: &Scope) -> serde_json::Value {
    match scope {
        Scope::User => json!({"mode": "username"}),
        Scope::Model(aaid) => json!({"mode": "aaid", "aaid": aaid.as_str()}),
        Scope::Key(key) => {
            let key_id = sidegate_uaf::encoding::encode(key.key_id.as_bytes());
            json!({"mode": "key", "aaid": key.aaid.as_str(), "keyId": key_id})
        }
    }
}

/// What the upstream's message may name.
fn asked(scope: &Scope) -> DeregisterAuthenticator {
    match scope {
        Scope::User => DeregisterAuthenticator::Everything,
        Scope::Model(aaid) => DeregisterAuthenticator::Model(*aaid),
        Scope::Key(key) => DeregisterAuthenticator::Key(key.clone()),
    }
}

/// A request that can't be handed out.
fn unfit(reason: &Error) -> FidoError {
    tracing::warn!(%reason, "a request of the UAF upstream is not handed out");
    FidoError::Refused(StatusCode::INTERNAL)
}

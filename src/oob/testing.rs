//! What the tests of the services share: a house with users jeff and eve, all services, and phones that answer.

pub(crate) mod journal;
mod parts;
mod phone;

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use sidegate_filters::clock::{Clock, ManualClock};
use sidegate_filters::{Caller, Role, UsernameMapper};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::{Reply, Response};
use sidegate_uaf::{Algorithm, Decoys, Folding, RelyingParty, StatusCode};
use zeroize::Zeroizing;

use self::journal::{Journal, Journaled};
use self::parts::{Shared, Stores};
pub(crate) use self::phone::{Device, Phone, payload};
use super::{
    Acting, Asker, DispatchAnswer, DispatchRequest, DispatchToken, Ghosts, NotRedeemed, Redeem, Requests, StatusView,
    Statuses, Targets, TokenKey, TokenSettings, Tokens,
};
use crate::dispatchers::{
    BaseUrl, DispatchData, DispatchFailure, Dispatcher, Dispatchers, LinkDispatcher, Order, Recipients, RedeemUrls,
    Rendered,
};
use crate::fido::{
    AnswerAt, Answered, Arrival, Claimed, Embedded, EmbeddedSettings, Fido, FidoError, Policies, UafRequest,
};
use crate::identity::testing::{TestDomain, TestUsers, domain_with, realm};
use crate::identity::{FidoUafRealm, Throttle};
use crate::jose::MacKey;
use crate::store::memory::{Budget, MemoryOperations};
use crate::store::operation::{Authenticator, Limits, OperationKind};
use crate::store::{Credentials, Eras, KeysBehind, Operations, Targets as TargetStore, Users};

/// The model of all phones.
const MODEL: &str = "D0D0#0001";

/// A dispatcher that needs a target and fails as it is told.
pub(crate) struct Failing(pub(crate) DispatchFailure);

#[async_trait::async_trait]
impl Dispatcher for Failing {
    fn name(&self) -> &'static str {
        match self.0 {
            DispatchFailure::Failed => "failing",
            DispatchFailure::TargetExpired => "expiring",
            DispatchFailure::Internal => "breaking",
        }
    }

    fn needs_target(&self) -> bool {
        true
    }

    fn render(&self, _order: &Order<'_>) -> Result<Rendered, DispatchFailure> {
        Ok(Rendered::default())
    }

    async fn send(&self, _rendered: &Rendered) -> Result<(), DispatchFailure> {
        Err(self.0)
    }
}

pub(crate) struct House {
    pub(crate) domain: TestDomain,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) users: Arc<TestUsers>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) journal: Journal,
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) keys_behind: Arc<dyn KeysBehind>,
    pub(crate) eras: Eras,
    pub(crate) fido: Arc<dyn Fido>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) redeem: Arc<Redeem>,
    pub(crate) statuses: Arc<Statuses>,
    pub(crate) targets: Arc<Targets>,
    pub(crate) target_store: Arc<dyn TargetStore>,
}

/// What makes one house differ from another.
pub(crate) struct Plan {
    pub(crate) budget: usize,
    pub(crate) mapper: UsernameMapper,
    pub(crate) status_response: bool,
    pub(crate) folding: Folding,
    pub(crate) policies: Policies,
    pub(crate) models: Models,
    pub(crate) hide_users: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            budget: 100 << 20,
            mapper: UsernameMapper::Name,
            status_response: false,
            folding: Folding::Specific,
            policies: Policies::built_in(),
            models: surrogates(),
            hide_users: false,
        }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Plan::default())
    }

    pub(crate) fn with(plan: Plan) -> Self {
        let journal = Journal::default();
        let domain = domain_with(|store| Arc::new(Journaled { journal: journal.clone(), store }));
        let (mapper, status_response, hides) = (plan.mapper, plan.status_response, plan.hide_users);
        let stores = Stores::new(&domain, &journal, plan.budget);
        let eras = Eras { users: Arc::clone(&stores.users), ..domain.eras.clone() };
        let clock = Arc::clone(&domain.clock);
        let mut acting = Acting::new(eras.clone(), mapper, domain.sessions.domain().clone());
        if hides {
            acting = acting.hiding_users(Ghosts::new(MacKey::new(&Zeroizing::new([5; 32])).unwrap()));
        }
        let fido = stores.embedded(plan, &eras, &clock);
        let key = TokenKey::new(MacKey::new(&Zeroizing::new([3; 32])).unwrap());
        let shared = Shared { stores: &stores, eras: &eras, acting, fido: &fido, key, clock: &clock };
        Self {
            tokens: Arc::new(shared.tokens(status_response)),
            requests: Arc::new(shared.requests()),
            redeem: Arc::new(shared.redeem()),
            statuses: Arc::new(shared.statuses()),
            targets: Arc::new(shared.targets()),
            credentials: stores.credentials,
            keys_behind: Arc::clone(&domain.durable) as Arc<dyn KeysBehind>,
            journal,
            target_store: stores.targets,
            operations: stores.operations,
            users: Arc::clone(&domain.users),
            budget: stores.budget,
            domain,
            clock,
            eras,
            fido,
        }
    }

    /// The realm `fido-uaf`, whose logins renew a session or do not, behind a throttle that takes so many failures.
    pub(crate) fn fido_uaf(&self, renew: bool, throttle: Arc<Throttle>) -> FidoUafRealm {
        let (users, sessions) = (Arc::clone(&self.users) as Arc<dyn Users>, Arc::clone(&self.domain.sessions));
        FidoUafRealm::new(realm("fido-uaf", 2, renew), sessions, users, Arc::clone(&self.fido), throttle)
    }

    /// The user with a session of realm `fido-uaf`.
    pub(crate) async fn user(&self, name: &str) -> Caller {
        let cookie = self.domain.login(name, &realm("fido-uaf", 2, false), None).await.unwrap();
        Caller::User(self.domain.session(&cookie).await.unwrap())
    }

    /// The same with all keys that the user has.
    pub(crate) async fn user_by_keys(&self, name: &str) -> Caller {
        let mut keys = Vec::new();
        for key in self.credentials.list(&format!("ext-{name}").as_str().into()).await.unwrap() {
            keys.push(Authenticator { aaid: String::new(), key_id: String::new(), ext_id: key.ext_id });
        }
        let cookie = self.domain.login_by(name, &realm("fido-uaf", 2, false), &keys, None).await.unwrap();
        Caller::User(self.domain.session(&cookie).await.unwrap())
    }

    /// A phone of this user with one registered key.
    pub(crate) async fn phone(&self, name: &str) -> Phone {
        let mut phone = Phone::new();
        let caller = self.user(name).await;
        let request = self.requests.request(&asker(&caller), OperationKind::Reg, None).await.unwrap();
        let response = phone.register(&request);
        self.answer(AnswerAt::Registration, &response).await.unwrap();
        phone
    }

    /// A target of this user, with the keys that belong to it.
    pub(crate) async fn target(&self, name: &str, dispatcher: &str) -> Device {
        let device = Device::new();
        let new = device.registration(&format!("{name}'s {dispatcher}"), dispatcher);
        let id = self.targets.create(&asker(&self.user(name).await), new).await.unwrap();
        Device { id, ..device }
    }

    pub(crate) async fn dispatch(&self, asker: &Asker<'_>, request: DispatchRequest) -> DispatchAnswer {
        self.tokens.dispatch(asker, &request).await.unwrap()
    }

    /// A token for an authentication of jeff, asked for by nobody in particular.
    pub(crate) async fn token(&self) -> (DispatchToken, String) {
        self.token_of(&Caller::Anonymous, OperationKind::Auth, r#"{"username":"jeff"}"#).await
    }

    pub(crate) async fn token_of(
        &self,
        caller: &Caller,
        kind: OperationKind,
        context: &str,
    ) -> (DispatchToken, String) {
        let (token, id) = self.tokens.create(&asker(caller), kind, Some(context)).await.unwrap();
        (token, id.to_string())
    }

    /// The UAF code of a redeem.
    pub(crate) async fn redeem(&self, kind: OperationKind, token: &str) -> (u16, Option<UafRequest>) {
        match self.redeem.redeem(kind, token, None).await {
            Ok(request) => (StatusCode::OK.0, Some(request)),
            Err(NotRedeemed::Refused(code)) => (code.0, None),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Who an answer says it is from.
    pub(crate) async fn claimant(&self, at: AnswerAt, uaf_response: &str) -> Option<Claimed> {
        self.fido.open(&Arrival { at, uaf_response, context: None, from: None }).claimant().await.unwrap()
    }

    pub(crate) async fn answer(&self, at: AnswerAt, response: &Response) -> Result<Answered, u16> {
        self.answer_with(at, response, None).await
    }

    pub(crate) async fn answer_with(
        &self,
        at: AnswerAt,
        response: &Response,
        reply: Option<&Reply>,
    ) -> Result<Answered, u16> {
        let context = reply.map(|reply| serde_json::to_string(reply).unwrap());
        let (message, context) = (response.to_message(), context.as_deref());
        match self.fido.open(&Arrival { at, uaf_response: &message, context, from: None }).take().await {
            Ok(answered) => Ok(answered),
            Err(FidoError::Refused(code)) => Err(code.0),
            Err(fault) => panic!("{fault}"),
        }
    }

    pub(crate) async fn status(&self, session_id: &str) -> Value {
        let view: StatusView = self.statuses.view(session_id).await.unwrap();
        serde_json::to_value(view).unwrap()
    }
}

pub(crate) fn relying_party() -> RelyingParty {
    relying_party_with(surrogates())
}

pub(crate) fn surrogates() -> Models {
    Models::new(UnknownModels::Surrogate(Algorithm::ALL.iter().copied().collect()))
}

fn relying_party_with(models: Models) -> RelyingParty {
    RelyingParty::new(
        Some(Text::new("https://gate.example/nevisfido/uaf/1.1/facets").unwrap()),
        TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]),
        models,
        ServerDataKey::new(&[7; 32]).unwrap(),
    )
}

fn dispatchers() -> Dispatchers {
    let link =
        LinkDispatcher::new(BaseUrl::parse("https://siven.ch").unwrap(), RedeemUrls::below("https://gate.example"));
    let failing = [DispatchFailure::Failed, DispatchFailure::TargetExpired, DispatchFailure::Internal];
    let failing = failing.into_iter().map(|failure| Arc::new(Failing(failure)) as Arc<dyn Dispatcher>);
    Dispatchers::new(failing.chain([Arc::new(link) as Arc<dyn Dispatcher>]))
}

pub(crate) fn asker(caller: &Caller) -> Asker<'_> {
    Asker { caller, address: IpAddr::from([192, 0, 2, 1]), anonymous_content: false }
}

pub(crate) fn internal(roles: &[Role]) -> Caller {
    crate::identity::testing::internal("bank", roles)
}

/// A request to dispatch an authentication by link.
pub(crate) fn by_link(context: &str) -> DispatchRequest {
    DispatchRequest {
        kind: OperationKind::Auth,
        dispatcher: Some("link".into()),
        target: None,
        data: DispatchData::default(),
        notification: false,
        context: Some(context.into()),
    }
}

pub(crate) fn data(value: Value) -> DispatchData {
    let Value::Object(members) = value else { panic!("an object") };
    DispatchData::new(members).unwrap()
}

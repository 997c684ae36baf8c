//! What a house is made of.

use super::*;

/// The stores of a house, each of which writes into its journal.
pub(super) struct Stores {
    pub(super) users: Arc<dyn Users>,
    pub(super) operations: Arc<dyn Operations>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) targets: Arc<dyn TargetStore>,
    pub(super) budget: Arc<Budget>,
}

impl Stores {
    pub(super) fn new(domain: &TestDomain, journal: &Journal, bytes: usize) -> Self {
        let (budget, clock) = (Budget::new(bytes, 5), Arc::clone(&domain.clock));
        let users = Arc::clone(&domain.users) as Arc<dyn Users>;
        let operations: Arc<dyn Operations> = Arc::new(MemoryOperations::new(Arc::clone(&budget), clock));
        let credentials = Arc::clone(&domain.durable) as Arc<dyn Credentials>;
        let targets = Arc::clone(&domain.durable) as Arc<dyn TargetStore>;
        Self {
            users: Arc::new(Journaled { journal: journal.clone(), store: users }),
            operations: Arc::new(Journaled { journal: journal.clone(), store: operations }),
            credentials: Arc::new(Journaled { journal: journal.clone(), store: credentials }),
            targets: Arc::new(Journaled { journal: journal.clone(), store: targets }),
            budget,
        }
    }

    /// The UAF server inside.
    pub(super) fn embedded(&self, plan: Plan, eras: &Eras, clock: &Arc<ManualClock>) -> Arc<dyn Fido> {
        let relying_party = relying_party_with(plan.models);
        let decoys = || Decoys::new(&[4; 32], &relying_party, MODEL.parse()).unwrap();
        Arc::new(Embedded {
            decoys: plan.hide_users.then(decoys),
            relying_party,
            policies: plan.policies,
            operations: Arc::clone(&self.operations),
            credentials: Arc::clone(&self.credentials),
            users: Arc::clone(&self.users),
            eras: eras.clone(),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            channels: Vec::new(),
            settings: EmbeddedSettings { answer: Limits::default().answer, folding: plan.folding },
        })
    }
}

/// What the services have in common.
pub(super) struct Shared<'a> {
    pub(super) stores: &'a Stores,
    pub(super) eras: &'a Eras,
    pub(super) acting: Acting,
    pub(super) fido: &'a Arc<dyn Fido>,
    pub(super) key: TokenKey,
    pub(super) clock: &'a Arc<ManualClock>,
}

impl Shared<'_> {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.clock) as Arc<dyn Clock>
    }

    pub(super) fn tokens(&self, status_response: bool) -> Tokens {
        Tokens {
            operations: Arc::clone(&self.stores.operations),
            targets: Arc::clone(&self.stores.targets),
            acting: self.acting.clone(),
            dispatchers: dispatchers(),
            recipients: Recipients::default(),
            fido: Arc::clone(self.fido),
            key: self.key.clone(),
            clock: self.clock(),
            settings: TokenSettings { limits: Limits::default(), status_response },
        }
    }

    pub(super) fn requests(&self) -> Requests {
        Requests {
            operations: Arc::clone(&self.stores.operations),
            acting: self.acting.clone(),
            fido: Arc::clone(self.fido),
            clock: self.clock(),
            limits: Limits::default(),
        }
    }

    pub(super) fn redeem(&self) -> Redeem {
        Redeem {
            operations: Arc::clone(&self.stores.operations),
            users: Arc::clone(&self.stores.users),
            eras: self.eras.clone(),
            fido: Arc::clone(self.fido),
            key: self.key.clone(),
            clock: self.clock(),
        }
    }

    pub(super) fn statuses(&self) -> Statuses {
        let operations = Arc::clone(&self.stores.operations);
        Statuses { operations, clock: self.clock(), proven_only: self.fido.is_elsewhere() }
    }

    pub(super) fn targets(&self) -> Targets {
        Targets {
            targets: Arc::clone(&self.stores.targets),
            users: Arc::clone(&self.stores.users),
            acting: self.acting.clone(),
            dispatchers: dispatchers(),
            clock: self.clock(),
        }
    }
}

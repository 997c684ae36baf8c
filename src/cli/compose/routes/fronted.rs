//! The rows that a FIDO server behind answers: protected here as if the service were ours, and it is told who is calling.

use std::sync::Arc;

use sidegate_filters::uaf_operation::{Operation, Strangers};
use sidegate_filters::{Chain, Filter, UafAnswerFilter, UafRequestFilter, UserBindingFilter};

use super::super::ComposeError;
use super::Parts;
use crate::config::{self, FilterKind, Fronting};
use crate::routes::Upstream;
use crate::routes::rows::{Protection, Service};
use crate::store::operation::OperationKind;

impl Parts<'_> {
    /// Who is calling, whether the body is for this row and names that user, and what the upstream is told.
    pub(super) fn fronted_filters(
        &self,
        row: &config::Row,
        upstream: &Upstream,
        service: Service,
        protection: Protection,
    ) -> Result<Chain, ComposeError> {
        let fronting = self.fronting()?;
        match protection {
            Protection::Open if service.is_impersonal() => return Ok(Chain::default()),
            Protection::JwsBypass => return Ok(Chain::new(vec![self.edge_bypass(&fronting.jws_bypass, upstream)?])),
            _ => {}
        }
        let mut chain = vec![self.gate.for_service(None, protection, row.interception)?];
        chain.extend(self.own_operation(service, fronting)?);
        if let (Some(mapper), Some(place)) = (fronting.user_binding, service.names_user()) {
            chain.push(Arc::new(UserBindingFilter::new(mapper, place)));
        }
        chain.push(self.told_who(&fronting.delegation, upstream)?);
        Ok(Chain::new(chain))
    }

    fn fronting(&self) -> Result<&Fronting, ComposeError> {
        let missing = || ComposeError::unfit("fronting", "a row leads to a FIDO server behind, and none is configured");
        self.config.fronting.as_ref().ok_or_else(missing)
    }

    /// What keeps a body for another operation from the row.
    fn own_operation(&self, service: Service, fronting: &Fronting) -> Result<Option<Arc<dyn Filter>>, ComposeError> {
        Ok(match service {
            Service::UafRequest(kind) | Service::Create(kind) | Service::Dispatch(kind) => {
                let strangers = Strangers { domain: self.gate.own_domain()?, username: fronting.user_binding };
                let strangers = (!fronting.anonymous_content).then_some(strangers);
                Some(Arc::new(UafRequestFilter::new(operation(kind), strangers)))
            }
            Service::UafRegistration => Some(Arc::new(UafAnswerFilter::new(Operation::Reg))),
            Service::UafAuthentication => Some(Arc::new(UafAnswerFilter::new(Operation::Auth))),
            _ => None,
        })
    }

    fn told_who(&self, name: &str, upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
        match self.named(name).map(|filter| &filter.kind) {
            Some(FilterKind::Delegation(rules)) => self.delegation(name, rules, upstream),
            _ => Err(ComposeError::unfit("fronting.delegation", format!("{name} is no filter of type delegation"))),
        }
    }
}

fn operation(kind: OperationKind) -> Operation {
    match kind {
        OperationKind::Reg => Operation::Reg,
        OperationKind::Auth => Operation::Auth,
        OperationKind::Dereg => Operation::Dereg,
    }
}

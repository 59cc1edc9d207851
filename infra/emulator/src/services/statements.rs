//! Batches of `PartiQL` statements. A statement that the policy denies fails alone.

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::call::{Call, Store};
use super::endpoint::{Handled, ServiceEndpoint, describe_body, whole};
use super::error_responses;
use super::policy::Denial;
use crate::activity::OpenCall;

/// The limit of `DynamoDB` for one batch.
const STATEMENTS_MAX: usize = 25;

impl Call {
    /// Whether it is a batch whose statements succeed or fail one by one.
    pub(super) fn is_batch_of_statements(&self) -> bool {
        self.store == Store::Tables && self.operation == "BatchExecuteStatement"
    }
}

impl ServiceEndpoint {
    /// Handles a batch of which the policy denies some statements, or all.
    pub(super) async fn admit_batch(
        &self,
        call: &Call,
        headers: HeaderMap,
        open: &mut OpenCall,
    ) -> Handled {
        if call.accesses.len() > STATEMENTS_MAX {
            // It is refused as a whole.
            return self.carry_out(call, headers, open).await;
        }
        let mut denials: Vec<(usize, Denial)> = Vec::new();
        // A batch has one access for each statement.
        for (place, access) in call.accesses.iter().enumerate() {
            let denial = self.policies.denial_of(&self.names, call, access);
            denials.extend(denial.map(|denial| (place, denial)));
        }
        let (response, fault) = match without(call, &denials) {
            Some(allowed) => {
                let handled = self.carry_out(&allowed, headers, open).await;
                (handled.response, handled.fault)
            }
            None => (error_responses::succeeded(call.store, &json!({"Responses": []})), None),
        };
        let response = with_errors(response, &denials).await;
        let denials = denials.into_iter().map(|(_, it)| (it.action, it.resource)).collect();
        Handled { response, denials, fault }
    }
}

/// The batch without the denied statements; `None` if no other is left.
fn without(call: &Call, denials: &[(usize, Denial)]) -> Option<Call> {
    let is_allowed = |place: usize| denials.iter().all(|(denied, _)| *denied != place);
    let mut body: Value = serde_json::from_slice(&call.body).ok()?;
    let statements = body.get_mut("Statements")?.as_array_mut()?;
    let mut places = 0..;
    statements.retain(|_| places.next().is_some_and(is_allowed));
    if statements.is_empty() {
        return None;
    }
    let accesses = call.accesses.iter().enumerate().filter(|(place, _)| is_allowed(*place));
    let accesses = accesses.map(|(_, access)| access.clone()).collect();
    Some(Call { accesses, body: Bytes::from(body.to_string()), ..call.clone() })
}

/// The response to a batch, with the errors of the denied statements at their places.
async fn with_errors(response: Response, denials: &[(usize, Denial)]) -> Response {
    if !response.status().is_success() {
        return response;
    }
    let (mut head, mut body) = whole(response).await;
    let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(responses) = answer.get_mut("Responses").and_then(Value::as_array_mut) {
        for (place, denial) in denials {
            let message = error_responses::not_authorized(denial);
            let place = (*place).min(responses.len());
            let error = json!({"Code": "AccessDenied", "Message": message});
            responses.insert(place, json!({ "Error": error }));
        }
        body = Bytes::from(answer.to_string());
        describe_body(&mut head.headers, &body);
    }
    Response::from_parts(head, Body::from(body))
}

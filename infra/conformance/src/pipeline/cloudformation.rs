//! A stand-in for `CloudFormation`, for the calls of `sam deploy` before a deployment.
//!
//! It accepts a change set and responds that it changes nothing, so that `sam deploy` ends. ministack
//! cannot accept it: it rejects templates with unknown resource types.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tooling::Error;

/// SAM's own stack, which has the bucket that `sam deploy` uploads to.
const OF_SAM: &str = "aws-sam-cli-managed-default";

/// Parameters of a request, by their names: `Parameters.member.1.ParameterKey`.
pub(super) type Form = BTreeMap<String, String>;

/// The running stand-in. It stops when this is dropped.
pub(super) struct CloudFormation {
    address: SocketAddr,
    taken: Taken,
    server: JoinHandle<()>,
}

/// The last requested change set.
type Taken = Arc<Mutex<Option<Form>>>;

impl CloudFormation {
    /// Starts the stand-in on a free port of this machine. `sam deploy` uploads to `bucket`.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub(super) async fn start(bucket: &str) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let taken = Taken::default();
        let state = (taken.clone(), Arc::from(bucket));
        let router = Router::new().fallback(answer).with_state(state);
        let server = tokio::spawn(async move {
            // It runs until it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, taken, server })
    }

    /// The address of the stand-in.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The request for the last change set.
    pub(super) fn taken(&self) -> Option<Form> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for CloudFormation {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State((taken, bucket)): State<(Taken, Arc<str>)>,
    body: Bytes,
) -> (StatusCode, String) {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let value = |name: &str| form.get(name).map_or("", String::as_str);
    match value("Action") {
        "DescribeStacks" if value("StackName") == OF_SAM => (StatusCode::OK, stack_of_sam(&bucket)),
        "DescribeStacks" => {
            refused(&format!("Stack with id {} does not exist", value("StackName")))
        }
        "CreateChangeSet" => {
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(form.clone());
            (
                StatusCode::OK,
                result("CreateChangeSet", "<Id>change-set</Id><StackId>stack</StackId>"),
            )
        }
        "DescribeChangeSet" => {
            let nothing = "<Status>FAILED</Status>\
                <StatusReason>No updates are to be performed.</StatusReason><Changes/>";
            (StatusCode::OK, result("DescribeChangeSet", nothing))
        }
        other => refused(&format!("{other} is not supported before a deployment")),
    }
}

fn stack_of_sam(bucket: &str) -> String {
    let stack = format!(
        "<Stacks><member><StackName>{OF_SAM}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <Tags><member><Key>ManagedStackSource</Key><Value>AwsSamCli</Value></member></Tags>\
         <Outputs><member><OutputKey>SourceBucket</OutputKey><OutputValue>{bucket}</OutputValue></member></Outputs>\
         </member></Stacks>"
    );
    result("DescribeStacks", &stack)
}

fn result(action: &str, inside: &str) -> String {
    format!("<{action}Response><{action}Result>{inside}</{action}Result></{action}Response>")
}

fn refused(why: &str) -> (StatusCode, String) {
    let error = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
         <Message>{why}</Message></Error></ErrorResponse>"
    );
    (StatusCode::BAD_REQUEST, error)
}

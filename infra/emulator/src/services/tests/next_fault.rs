//! Tests of a one-shot fault at the calls of a function.

use super::*;
use crate::faults::{CommitSide, FaultPoint, FaultStage, NextFault, NextFaults};

/// Processes that all work on one request.
#[derive(Default)]
struct OneRequest {
    faults: NextFaults,
    killed: Mutex<Vec<String>>,
}

impl Environments for OneRequest {
    fn note(&self, _: &str, _: &str) {}

    fn kill(&self, environment: &str) {
        self.killed.lock().unwrap().push(environment.to_owned());
    }

    fn next_fault(
        &self,
        _: &str,
        call: &dyn Fn() -> u64,
        is_met: &dyn Fn(&FaultPoint) -> bool,
    ) -> Option<FaultPoint> {
        self.faults.met("request", call(), is_met)
    }
}

/// Stores whose functions work on a request with this fault.
async fn with_fault(at: FaultPoint) -> (Stores, Arc<OneRequest>) {
    let stores = stores().await;
    let processes = Arc::new(OneRequest::default());
    processes.faults.arm(NextFault::at(at));
    processes.faults.bind("request", || "POST /orders".to_owned());
    let environments: Arc<dyn Environments> = processes.clone();
    stores.attach(Arc::downgrade(&environments));
    (stores, processes)
}

async fn get_user(clients: &Clients, id: &str) -> Result<(), aws_sdk_dynamodb::Error> {
    let get = clients.tables.get_item().table_name("local-UsersTable").key("pk", s(id));
    Ok(get.send().await.map(drop)?)
}

#[tokio::test]
async fn the_first_call_on_a_table_fails_with_its_repetitions_and_the_next_succeeds() {
    let (stores, _processes) = with_fault(FaultPoint::Table("UsersTable".to_owned())).await;
    let clients = Clients::of(&stores, "GetUserFunction");
    put_user(&clients, "user-1").await.unwrap_err();
    put_user(&clients, "user-1").await.unwrap_err();
    put_user(&clients, "user-2").await.unwrap();
    assert_eq!(stores.scan("UsersTable").unwrap().0, [json!({"pk": "user-2"})]);
}

#[tokio::test]
async fn a_fault_of_retrieval_fails_a_read_and_one_of_effects_every_commit() {
    let (stores, _processes) = with_fault(FaultPoint::Stage(FaultStage::Retrieval)).await;
    let clients = Clients::of(&stores, "GetUserFunction");
    put_user(&clients, "user-1").await.unwrap();
    get_user(&clients, "user-1").await.unwrap_err();
    get_user(&clients, "user-2").await.unwrap();

    let (stores, _processes) = with_fault(FaultPoint::Stage(FaultStage::Effects)).await;
    let clients = Clients::of(&stores, "GetUserFunction");
    get_user(&clients, "user-1").await.unwrap();
    put_user(&clients, "user-1").await.unwrap_err();
    put_user(&clients, "user-2").await.unwrap_err();
    assert!(stores.scan("UsersTable").unwrap().0.is_empty());
}

#[tokio::test]
async fn the_process_is_killed_before_or_after_the_commit_of_the_request() {
    for (side, written) in [(CommitSide::Before, 0), (CommitSide::After, 1)] {
        let (stores, processes) = with_fault(FaultPoint::Commit(side)).await;
        let clients = Clients::of(&stores, "GetUserFunction");
        get_user(&clients, "user-1").await.unwrap();
        put_user(&clients, "user-1").await.unwrap_err();
        assert_eq!(stores.scan("UsersTable").unwrap().0.len(), written, "{side:?}");
        assert_eq!(*processes.killed.lock().unwrap(), ["environment-1"], "{side:?}");
    }
}

#[tokio::test]
async fn the_first_call_on_a_queue_fails_and_a_call_of_no_function_is_not_affected() {
    let (stores, _processes) = with_fault(FaultPoint::Queue("EmailsQueue".to_owned())).await;
    let queue = stores.names().queue("EmailsQueue").unwrap();
    let send = async |key: &str, body: &str| {
        let clients = Clients::with_key(&stores, key);
        clients.queues.send_message().queue_url(&queue.url).message_body(body).send().await.is_ok()
    };
    assert!(send("operator", "by hand").await);
    assert!(!send(&access_key("GetUserFunction"), "first").await);
    assert!(send(&access_key("GetUserFunction"), "second").await);
    put_user(&Clients::of(&stores, "GetUserFunction"), "user-1").await.unwrap();
}

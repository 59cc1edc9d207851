use super::*;

const ROTATION: &str = "
  KeysSecret:
    Type: AWS::SecretsManager::Secret
  KeysRotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref KeysSecret
      RotationLambdaARN: !Ref WorkFunction.Alias
      RotationRules: {ScheduleExpression: rate(1 minute)}
";

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

async fn rotating(answers: Vec<Answer>) -> Running {
    let functions = Scripted { answers: Mutex::new(answers.into()), ..Scripted::default() };
    running_with(&format!("{}{ROTATION}", template("", QUEUE)), functions, None).await
}

impl Running {
    /// The steps of these events, and their common token.
    fn steps(&self, events: std::ops::Range<usize>) -> (Vec<String>, String) {
        let arn = &self.stores.names().secret("KeysSecret").unwrap().arn;
        let seen = self.functions.events.lock().unwrap();
        let seen = &seen[events];
        let token = &seen[0].1["ClientRequestToken"];
        for (_, event) in seen {
            assert_eq!((&event["SecretId"], &event["ClientRequestToken"]), (&json!(arn), token));
        }
        let steps = seen.iter().map(|(_, event)| event["Step"].as_str().unwrap().to_owned());
        (steps.collect(), token.as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_rotation_is_four_steps_in_order_with_one_token() {
    let running = rotating(vec![]).await;

    running.stores.rotate("KeysSecret").await.unwrap();
    let refused = running.stores.rotate("KeysSecret").await.unwrap_err().to_string();
    assert!(refused.contains("A previous rotation isn't complete."), "{refused}");
    running.invoked(4).await;

    let (steps, _) = running.steps(0..4);
    assert_eq!(steps, STEPS);
    assert_eq!(running.functions.running_max.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(running.functions.events.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_failed_step_ends_the_rotation_and_the_next_one_restarts() {
    let succeed = || -> Answer { Box::new(|_| Ok(Value::Null)) };
    let running = rotating(vec![succeed(), crash()]).await;

    running.stores.rotate("KeysSecret").await.unwrap();
    running.until(|| !running.said.lock().unwrap().is_empty()).await;

    let why = "the rotation of KeysSecret failed in setSecret: \
               Runtime exited with error: signal: 9 (SIGKILL)";
    assert_eq!(*running.said.lock().unwrap(), [why]);
    let (steps, failed) = running.steps(0..2);
    assert_eq!(steps, STEPS[..2]);
    let mut under_way = running.stores.rotations("KeysSecret").unwrap();
    under_way.wait_for(Option::is_none).await.unwrap();
    running.stores.rotate("KeysSecret").await.unwrap();
    running.invoked(6).await;
    let (steps, token) = running.steps(2..6);
    assert_eq!(steps, STEPS);
    assert_ne!(token, failed);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_due_one_interval_after_the_last() {
    let running = rotating(vec![]).await;
    let invocations = || running.functions.events.lock().unwrap().len();

    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(invocations(), 0);
    running.stores.rotate("KeysSecret").await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(invocations(), 4);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(invocations(), 8);
}

use emulator::faults::StandinFaults;
use serde_json::{Value, json};

use super::*;

fn faults(json: Value) -> StandinFaults {
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn without_faults_each_stand_in_shows_all_its_settings() {
    let standins = start().await.unwrap();
    let none = json!({"down": false, "answer": null, "delayMs": 0, "share": null, "times": null});
    let all = json!({
        "notifiers": {"slack": none, "datadog": none, "newRelic": none},
        "objects": {"lookups": none, "takesMs": null},
        "partner": {"products": none, "tokens": none, "tokenLifetimeS": null},
    });
    assert_eq!(serde_json::to_value(standins.faults()).unwrap(), all);
}

#[tokio::test]
async fn an_unknown_member_of_a_stand_ins_faults_is_an_error_that_names_it() {
    let standins = start().await.unwrap();
    for (refused, complaint) in [
        (
            json!({"parner": {}}),
            "at standins.parner: unknown field `parner`, \
             expected one of `notifiers`, `objects`, `partner`",
        ),
        (json!({"partner": {"product": {}}}), "at standins.partner.product: unknown field"),
        (json!({"objects": {"lookups": {"dwn": true}}}), "at standins.objects.lookups.dwn: "),
        (json!({"notifiers": {"pager": {}}}), "at standins.notifiers.pager: unknown field"),
        (json!({"objects": {"takesMs": [5, 60_001]}}), "at standins.objects.takesMs[1]: a delay"),
    ] {
        let error = standins.set_faults(&faults(refused.clone())).unwrap_err().to_string();
        assert!(error.starts_with(complaint), "{refused}: {error}");
    }
}

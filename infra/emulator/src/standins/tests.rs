use serde_json::{Value, json};

use super::*;

fn faults(json: Value) -> StandinFaults {
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn an_unknown_name_or_member_is_an_error_that_changes_no_faults() {
    let standins = sample::standins().await;
    let down = faults(json!({"partner": {"products": {"down": true}}}));
    standins.set_faults(&down).unwrap();
    for (refused, complaint) in [
        (json!({"partnr": {}}), "at standins.partnr: unknown field `partnr`, expected `partner`"),
        (
            json!({"partner": {"prodcts": {}}}),
            "at standins.partner.prodcts: unknown field `prodcts`, expected `products`",
        ),
        (
            json!({"partner": {"products": {"share": 2}}}),
            "at standins.partner.products.share: a rate is between 0 and 1, not 2",
        ),
        (json!({"partner": 7}), "at standins.partner: invalid type: integer `7`"),
    ] {
        let error = standins.set_faults(&faults(refused.clone())).unwrap_err().to_string();
        assert!(error.starts_with(complaint), "{refused}: {error}");
        assert_eq!(standins.faults()["partner"]["products"]["down"], true, "{refused}");
    }
}

#[tokio::test]
async fn faults_without_a_stand_in_clear_its_faults() {
    let standins = sample::standins().await;
    let down = faults(json!({"partner": {"products": {"down": true}}}));
    standins.set_faults(&down).unwrap();

    standins.set_faults(&StandinFaults::default()).unwrap();

    let cleared = standins.faults();
    assert_eq!(cleared["partner"]["products"]["down"], false);
    assert_eq!(cleared["partner"]["products"]["delayMs"], 0);
}

#[tokio::test]
async fn a_platform_without_stand_ins_refuses_their_faults() {
    let refused = Standins::default().set_faults(&faults(json!({"partner": {}})));
    let error = refused.unwrap_err().to_string();
    assert_eq!(error, "at standins.partner: unknown field `partner`, there are no stand-ins");
}

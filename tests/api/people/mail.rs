//! Mail: the permissions to send it, and the effects of bounces and complaints.

use emulator::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Api, Control, changed_platform, eventually, fresh_platform, operate, text, unique, user, when,
};
use crate::protocol::events::fixture;

/// Addresses of SES's mailbox simulator.
const SIMULATOR: &str = "simulator.amazonses.com";

/// The resource of the template's permission to send mail.
const IDENTITIES: &str = "${AWS::AccountId}:identity/*";

#[tokio::test]
async fn mail_is_denied_by_a_policy_that_names_only_the_senders_address() {
    let names_the_sender = |template: String| {
        assert!(template.contains(IDENTITIES), "the template no longer has {IDENTITIES}");
        template.replace(IDENTITIES, "${AWS::AccountId}:identity/${MailFrom}")
    };
    let Some(api) = changed_platform(Options::default(), names_the_sender).await else { return };
    let control = api.control().unwrap();
    api.client().post_user(&user("ada@example.org"), None).await.unwrap();
    let denied = ["AccessDenied", "ses:SendEmail", "identity/example.com"];
    eventually("the denial in the log", async || {
        let lines = control.logs().await.into_iter().map(|line| line.to_string());
        lines.into_iter().find(|line| denied.iter().all(|part| line.contains(part)))
    })
    .await;
    assert_eq!(control.mails("ada@example.org").await, Vec::<Value>::new());

    // The same platform with the sender's address verified, and one with the template unchanged.
    let identities = vec!["no-reply@example.com".to_owned()];
    let verified = Options { identities, ..Options::default() };
    for api in [
        changed_platform(verified, names_the_sender).await,
        fresh_platform(Options::default()).await,
    ] {
        let api = api.unwrap();
        api.client().post_user(&user("ada@example.org"), None).await.unwrap();
        api.control().unwrap().mail("ada@example.org", "Verify").await;
    }
}

#[tokio::test]
async fn in_the_sandbox_mail_goes_only_to_verified_recipients() {
    let identities = vec!["example.com".to_owned(), "ada@example.org".to_owned()];
    let options = Options { identities, mail_sandbox: true, ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };
    let control = api.control().unwrap();
    for email in ["eve@example.org", "ada@example.org"] {
        api.client().post_user(&user(email), None).await.unwrap();
    }
    control.mail("ada@example.org", "Verify").await;
    eventually("the refusal in the log", async || {
        let lines = control.logs().await.into_iter().map(|line| line.to_string());
        lines.into_iter().find(|line| line.contains("MessageRejected"))
    })
    .await;
    assert_eq!(control.mails("eve@example.org").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_address_with_a_bounce_or_complaint_gets_no_mail_until_cleared() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    for mailbox in ["bounce", "complaint"] {
        // Its case differs from SES's report.
        let email = format!("{mailbox}+{}@{}", unique("Ada"), SIMULATOR.to_uppercase());
        api.client().post_user(&user(&email), None).await.unwrap();
        control.mail(&email, "Verify").await;
        marked(&control, &email).await;

        let held_back = held_back(&control).await;
        ask_for_mail(&api, &email).await;
        until_held_back(&control, held_back + 2).await;
        assert_eq!(control.mails(&email).await.len(), 1, "{email}");

        let shown = operate(&api, &["mail-addresses", "show"]).await.unwrap();
        let reason = mailbox.to_uppercase();
        let address = email.to_lowercase();
        let is_shown = |line: &String| line.contains(&address) && line.contains(&reason);
        assert!(shown.iter().any(is_shown), "{shown:#?}");
        operate(&api, &["mail-addresses", "clear", &email]).await.unwrap();
        let again = operate(&api, &["mail-addresses", "clear", &email]).await.unwrap_err();
        assert!(again.contains("is not marked as undeliverable"), "{again}");

        api.client().post_password_reset(&email).await.unwrap();
        control.mail(&email, "Set a new password").await;
        marked(&control, &email).await;
    }
}

#[tokio::test]
async fn a_mail_request_for_an_undeliverable_address_gets_the_usual_202() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    let (bounced, unknown) = (unique("bounce+ada"), unique("bounce+eve"));
    let address = |name: &str| format!("{name}@{SIMULATOR}");
    api.client().post_user(&user(&address(&bounced)), None).await.unwrap();
    marked(&control, &address(&bounced)).await;
    for route in ["/verification-emails", "/password-resets"] {
        let mut told = Vec::new();
        for name in [&bounced, &unknown] {
            let asking = json!({ "email": address(name) });
            let answer = api.post(route, &asking).send().await;
            let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            let body = String::from_utf8(answer.body.to_vec()).unwrap().replace(name, "…");
            told.push((answer.status, names, body));
        }
        assert_eq!(told[0].0, 202, "{route}");
        assert_eq!(told[0], told[1], "{route}");
    }
}

#[tokio::test]
async fn a_transient_bounce_marks_nothing_and_a_repeated_event_marks_once() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let control = api.control().unwrap();
    control.send("MailEventsQueue", &report("soft@example.com", "Transient")).await;
    let permanent = report("gone@example.com", "Permanent");
    control.send("MailEventsQueue", &permanent).await;
    marked(&control, "gone@example.com").await;
    operate(&api, &["mail-addresses", "clear", "gone@example.com"]).await.unwrap();

    // Again, as SES and EventBridge may repeat it, after an operator has cleared the address.
    control.send("MailEventsQueue", &permanent).await;
    control.send("MailEventsQueue", &report("last@example.com", "Permanent")).await;
    marked(&control, "last@example.com").await;
    let consumed = async || {
        let report = control.queue("MailEventsQueue").await;
        when(report, |report| ["visible", "inFlight"].iter().all(|state| report[state] == 0))
    };
    eventually("all events to be consumed", consumed).await;
    let marked: Vec<_> = control
        .table("MailAddressesTable")
        .await
        .into_iter()
        .filter(|row| row.get("undeliverable").is_some())
        .map(|row| text(&row["email"]))
        .collect();
    assert_eq!(marked, ["last@example.com"]);
    let letters = control.queue("MailEventsDeadLetterQueue").await;
    assert_eq!(letters["visible"], 0, "{letters}");
}

/// Requests one mail of each kind, without a token.
async fn ask_for_mail(api: &Api, email: &str) {
    api.client().post_verification_email(email).await.unwrap();
    api.client().post_password_reset(email).await.unwrap();
}

/// Waits until the address is marked as undeliverable.
async fn marked(control: &Control, email: &str) {
    let email = email.to_lowercase();
    let marked = async || {
        let rows = control.table("MailAddressesTable").await;
        let row = rows.into_iter().find(|row| row["email"] == email.as_str())?;
        row.get("undeliverable").map(|_| ())
    };
    eventually(&format!("{email} to be undeliverable"), marked).await;
}

/// The number of mails held back so far.
async fn held_back(control: &Control) -> usize {
    let lines = control.logs().await;
    lines.iter().filter(|line| line["code"] == "ADDRESS_UNDELIVERABLE").count()
}

async fn until_held_back(control: &Control, count: usize) {
    let reached = async || when(held_back(control).await, |seen| *seen >= count);
    eventually("mails to be held back", reached).await;
}

/// The event fixture, with another mail, bounce type and address.
fn report(email: &str, kind: &str) -> Value {
    let event = fixture("mark_undeliverable");
    let mut report: Value = serde_json::from_str(&text(&event["Records"][0]["body"])).unwrap();
    report["id"] = json!(Uuid::new_v4());
    report["detail"]["bounce"]["bounceType"] = json!(kind);
    report["detail"]["mail"]["destination"] = json!([email]);
    report
}

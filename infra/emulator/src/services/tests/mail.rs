//! Tests of mail: SES's authorization, rejections and events.

use aws_sdk_sesv2::operation::send_email::SendEmailError;

use super::*;

/// The permissions of the template's function for mail.
const RIGHTS: &str = "              Resource:
                - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*
                - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*
              Condition: {StringEquals: {\"ses:FromAddress\": !Ref MailFrom}}
";

const SENDER: &str = "shop@example.com";
const SET: &str = "local-MailConfigurationSet";

#[tokio::test]
async fn a_policy_for_an_address_is_denied_if_its_domain_is_verified() {
    let address = resources(&["identity/${MailFrom}", "configuration-set/*"]);
    let stores = stores_with(&address, &[], false).await;

    let denied = send(&stores, SENDER, "a@example.org", Some(SET)).await.unwrap_err();

    assert_eq!(denied.status, 403, "{}", denied.text);
    assert!(denied.text.contains("AccessDeniedException"), "{}", denied.text);
    assert!(denied.text.contains(":identity/example.com"), "{}", denied.text);
    let stores = stores_with(&address, &[SENDER], false).await;
    send(&stores, SENDER, "a@example.org", Some(SET)).await.unwrap();
}

#[tokio::test]
async fn a_policy_without_the_mails_configuration_set_is_denied() {
    let stores = stores_with(&resources(&["identity/*"]), &[], false).await;

    let denied = send(&stores, SENDER, "a@example.org", Some(SET)).await.unwrap_err();

    assert!(denied.text.contains(&format!(":configuration-set/{SET}")), "{}", denied.text);
    send(&stores, SENDER, "a@example.org", None).await.unwrap();
}

#[tokio::test]
async fn a_mail_from_another_address_of_the_domain_is_denied() {
    let stores = stores_with(RIGHTS, &[], false).await;

    let denied = send(&stores, "boss@example.com", "a@example.org", Some(SET)).await.unwrap_err();

    assert_eq!(denied.status, 403, "{}", denied.text);
    send(&stores, "Shop <shop@example.com>", "a@example.org", Some(SET)).await.unwrap();
}

#[tokio::test]
async fn in_the_sandbox_a_recipient_must_be_verified_and_allowed() {
    let domain = resources(&["identity/example.com", "configuration-set/*"]);
    for (rights, verified, status) in [
        (RIGHTS, &["example.com"][..], 400),
        (RIGHTS, &["example.com", "a@example.org"], 200),
        (&domain, &["example.com", "a@example.org"], 403),
    ] {
        let stores = stores_with(rights, verified, true).await;
        let sent = send(&stores, SENDER, "a@example.org", Some(SET)).await;
        assert_eq!(sent.map_or_else(|refused| refused.status, |()| 200), status, "{verified:?}");
        send(&stores, SENDER, "success@simulator.amazonses.com", Some(SET)).await.unwrap();
    }
}

#[tokio::test]
async fn an_unverified_sender_or_unknown_configuration_set_is_an_error() {
    let stores = stores_with(RIGHTS, &["example.org"], false).await;
    let refused = send(&stores, SENDER, "a@example.org", Some(SET)).await.unwrap_err();
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("MessageRejected") && refused.text.contains(SENDER));

    let stores = stores_with(RIGHTS, &[], false).await;
    let refused = send(&stores, SENDER, "a@example.org", Some("another")).await.unwrap_err();
    assert!(refused.text.contains("NotFoundException"), "{}", refused.text);
    assert!(stores.mailbox().mails(None).is_empty());
}

#[tokio::test]
async fn a_mail_to_more_than_50_recipients_is_an_error() {
    let stores = stores_with(RIGHTS, &[], false).await;
    let addresses = (0..50).map(|number| format!("{number}@example.org")).collect();
    let fifty = Destination::builder().set_to_addresses(Some(addresses));

    let more = fifty.clone().cc_addresses("cc@example.org").build();
    let refused = send_to(&stores, SENDER, more, None).await.unwrap_err();

    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("Recipient count exceeds 50"), "{}", refused.text);
    send_to(&stores, SENDER, fifty.build(), None).await.unwrap();
}

#[tokio::test]
async fn simulated_bounces_and_complaints_reach_the_rules_queue() {
    let stores = stores_with(RIGHTS, &[], false).await;
    for mailbox in ["bounce", "complaint+1", "success"] {
        let to = format!("{mailbox}@simulator.amazonses.com");
        send(&stores, SENDER, &to, Some(SET)).await.unwrap();
    }
    send(&stores, SENDER, "bounce@simulator.amazonses.com", None).await.unwrap();

    let queue = stores.names().queue("MailEventsQueue").unwrap();
    let told = stores.receive(queue, 10, 0).await.unwrap();
    let mut told: Vec<Value> =
        told.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect();
    told.sort_by_key(|event| event["detail-type"].to_string());
    let [bounced, complained] = &told[..] else { panic!("two events: {told:#?}") };
    assert_eq!(bounced["detail-type"], "Email Bounced");
    assert_eq!(bounced["detail"]["bounce"]["bounceType"], "Permanent");
    let to = json!(["bounce@simulator.amazonses.com"]);
    assert_eq!(bounced["detail"]["mail"]["destination"], to);
    assert_eq!(complained["detail"]["eventType"], "Complaint");
    assert_eq!(complained["detail"]["mail"]["tags"]["ses:configuration-set"], json!([SET]));
    assert_eq!(stores.mailbox().mails(None).len(), 4, "SES has accepted all of them");
}

/// A statement's resources, all in SES.
fn resources(resources: &[&str]) -> String {
    let lines = resources.iter().map(|resource| {
        format!("                - !Sub arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:{resource}\n")
    });
    format!("              Resource:\n{}", lines.collect::<String>())
}

/// Stores with other mail permissions. Without identities, the sender's domain is verified.
async fn stores_with(rights: &str, verified: &[&str], sandbox: bool) -> Stores {
    let source = include_str!("template.yaml");
    assert!(source.contains(RIGHTS), "the template no longer has these permissions");
    let source = source.replace(RIGHTS, rights);
    let template = Template::parse(&source, &BTreeMap::new()).unwrap();
    let identities = match verified {
        [] => Identities::of_sender(&template, sandbox),
        verified => Identities::new(verified.iter().map(|it| (*it).to_owned()), sandbox),
    };
    Stores::start_with(&template, None, identities).await.unwrap()
}

/// The error response to a mail.
#[derive(Debug)]
struct NotTaken {
    status: u16,
    text: String,
}

async fn send(stores: &Stores, from: &str, to: &str, set: Option<&str>) -> Result<(), NotTaken> {
    send_to(stores, from, Destination::builder().to_addresses(to).build(), set).await
}

async fn send_to(
    stores: &Stores,
    from: &str,
    to: Destination,
    set: Option<&str>,
) -> Result<(), NotTaken> {
    let text = |text: &str| Content::builder().data(text).build().unwrap();
    let body = Body::builder().text(text("Hello!")).build();
    let message = Message::builder().subject(text("Welcome")).body(body).build();
    let mail = Clients::of(stores, "GetUserFunction").mail.send_email().from_email_address(from);
    let mail = mail.destination(to);
    let mail = mail.set_configuration_set_name(set.map(str::to_owned));
    let sent = mail.content(EmailContent::builder().simple(message).build()).send().await;
    sent.map(drop).map_err(|error| {
        let status = error.raw_response().unwrap().status().as_u16();
        let error: SendEmailError = error.into_service_error();
        NotTaken { status, text: format!("{error:?}") }
    })
}

//! `mail-addresses show` and `mail-addresses clear`: addresses to which no mail is sent any more.

use aws::admin::{Operator, Segment};
use clap::Subcommand;
use domain::people::{Email, MailAddress};
use domain::resources::MAIL_ADDRESSES;
use lifecycle::clock;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use operations::{Say, patiently};

pub(crate) const RESOURCES: &[Resource] = &[Resource::Table(MAIL_ADDRESSES, &[])];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the addresses to which no mail is sent, with the reasons.
    Show,
    /// Allows mail to an address again.
    Clear {
        /// The e-mail address.
        #[arg(value_parser = email)]
        email: Email,
    },
}

fn email(text: &str) -> Result<Email, &'static str> {
    Email::try_from(text.to_owned())
}

pub(crate) async fn run(
    command: &Command,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    match command {
        Command::Show => show(operator, say).await,
        Command::Clear { email } => clear(operator, email, say).await,
    }
}

async fn show(operator: &Operator, say: Say<'_>) -> Result<(), BoxError> {
    let (mut shown, mut unreadable, mut next) = (0, 0, None);
    loop {
        let segment = Segment { number: 0, of: 1 };
        let scan = async || operator.scan::<MailAddress>(segment, next.as_ref()).await;
        let page = patiently(scan, || ()).await?;
        for key in &page.unreadable {
            unreadable += 1;
            say(&format!("the record {} cannot be read", Operator::shown_key(key, true)));
        }
        for MailAddress { email, undeliverable, .. } in page.records {
            let Some(undeliverable) = undeliverable else { continue };
            shown += 1;
            let reason = undeliverable.reason.as_str();
            let (kind, at, mail) = (undeliverable.kind, undeliverable.at, undeliverable.message_id);
            say(&format!("{email}: {reason} ({kind}) at {at}, of mail {mail}"));
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    say(&format!("{shown} addresses are undeliverable"));
    match unreadable {
        0 => Ok(()),
        _ => Err(format!("{unreadable} records cannot be read: they may be marked too").into()),
    }
}

async fn clear(operator: &Operator, email: &Email, say: Say<'_>) -> Result<(), BoxError> {
    let key = MailAddress::key_of(email);
    let stored = operator.together(operator.table::<MailAddress>().one(key)).await?;
    let cleared = stored.and_then(|stored| stored.clear(clock::now()));
    let Some(write) = cleared else {
        return Err(format!("{email} is not marked as undeliverable").into());
    };
    if !operator.write(write).await? {
        return Err(format!("{email} was changed concurrently: try again").into());
    }
    say(&format!("done: mail is sent to {email} again"));
    Ok(())
}

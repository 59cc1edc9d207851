//! Mails: each loan and each overdue loan has one, to its member.

use simulation::evidence::{dead_letters, records};
use simulation::services::ses::Mail;
use simulation::world::{Event, Happened, Oracle, View};

use super::stored::{LOANS, Loan};

#[derive(Debug, Clone, Default)]
pub(crate) struct Mails {
    /// Whether a fault was drawn, after which a mail may be repeated.
    had_faults: bool,
}

impl Oracle for Mails {
    fn name(&self) -> &str {
        "mails are as documented"
    }

    fn observe(&mut self, event: &Event, _: &View<'_>) -> Result<(), String> {
        self.had_faults |= matches!(event.what, Happened::Drawn { .. });
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let loans: Vec<Loan> = records(view, LOANS);
        let excused = dead_letters(view);
        let strange = view.mails().iter().find(|mail| !loans.iter().any(|it| is_about(mail, it)));
        if let Some(mail) = strange {
            return Err(format!("a mail is about no loan of its recipient: {mail:?}"));
        }
        for loan in &loans {
            // A loan that is returned before its mail leaves has none.
            let is_due = loan.is_open() && !excused.contains(&loan.loan_id);
            let needed = [
                ("Your loan", is_due && !loan.is_first()),
                ("Your loan is overdue", is_due && loan.status == "OVERDUE"),
            ];
            for (subject, is_needed) in needed {
                let is_it = |mail: &&Mail| mail.subject == subject && is_about(mail, loan);
                let count = view.mails().iter().filter(is_it).count();
                if (count == 0 && is_needed) || (count > 1 && !self.had_faults) {
                    return Err(format!("{count} mails \"{subject}\" about {loan:?}"));
                }
            }
        }
        Ok(())
    }
}

fn is_about(mail: &Mail, loan: &Loan) -> bool {
    let text = mail.text.as_deref().unwrap_or_default();
    mail.to == [loan.email.clone()] && text.contains(&format!(" by {}.", loan.due_at))
}

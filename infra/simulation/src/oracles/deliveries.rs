//! The deliveries of messages, and the failures of those long after the end of faults.

use std::collections::BTreeMap;

use sam_template::Template;

use crate::Millis;
use crate::world::Fault;

/// How long after the end of faults, and of all invocations under them, a delivery may fail by their
/// consequences: an open circuit, or a pause before a secret is read again.
const AFTERMATH: Millis = Millis::seconds(120);
/// So many failures of late deliveries are no chance. One may be a conflict with another invocation.
const LATE_FAILURES: u32 = 2;

/// The deliveries of each message, by its id.
///
/// A late one began when faults had ended, and all that was in progress then.
#[derive(Debug, Clone)]
pub(super) struct Deliveries {
    counts: BTreeMap<String, u32>,
    /// The time from the end of faults to late deliveries.
    late_after: Millis,
    late_from: Option<Millis>,
    /// The failures of each message with a late delivery, since the first one began.
    late: BTreeMap<String, u32>,
}

impl Deliveries {
    /// No deliveries by the functions of a template.
    pub(super) fn of(template: &Template) -> Self {
        let timeouts = template.functions.values().map(|function| function.timeout);
        Self {
            counts: BTreeMap::new(),
            late_after: Millis::of(timeouts.max().unwrap_or_default()) + AFTERMATH,
            late_from: None,
            late: BTreeMap::new(),
        }
    }

    /// Faults have ended.
    pub(super) fn settle(&mut self, now: Millis) {
        self.late_from = Some(now + self.late_after);
    }

    /// A delivery of these messages began.
    pub(super) fn begin(&mut self, ids: &[String], now: Millis) {
        let is_late = self.late_from.is_some_and(|from| now >= from);
        for id in ids {
            *self.counts.entry(id.clone()).or_default() += 1;
            if is_late {
                self.late.entry(id.clone()).or_default();
            }
        }
    }

    /// A delivery of these messages failed.
    pub(super) fn fail(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(count) = self.late.get_mut(id) {
                *count += 1;
            }
        }
    }

    /// The deliveries of a message.
    pub(super) fn count(&self, id: &str) -> u32 {
        self.counts.get(id).copied().unwrap_or_default()
    }

    /// The failures of a message's late deliveries, if they are no chance and it had all `most` deliveries
    /// that its queue allows.
    pub(super) fn late_failures(&self, id: &str, most: u32) -> Option<u32> {
        let failures = self.late.get(id).copied()?;
        (self.count(id) >= most && failures >= LATE_FAILURES.min(most)).then_some(failures)
    }
}

/// Whether a fault can fail a delivery, or cost a receive of its message. The others repeat or delay work,
/// end an environment that has answered, or are between a client and the API.
pub(super) fn can_fail_a_delivery(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::DeathAfterResponse
            | Fault::ColdStart
            | Fault::LostClientRequest
            | Fault::LostClientResponse
            | Fault::DuplicateBatch
            | Fault::DuplicateSchedule
            | Fault::LateSchedule
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Resources:
  F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: provided.al2023, Timeout: 30}}
";
    const SETTLED: Millis = Millis::seconds(50);
    /// The timeout of the function and the aftermath.
    const LATE: Millis = Millis::seconds(50 + 30 + 120);

    /// The late failures of a message of a queue that allows `most` deliveries, after failures at these
    /// times.
    fn late_failures(failures: &[Millis], most: u32) -> Option<u32> {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        let mut deliveries = Deliveries::of(&template);
        deliveries.settle(SETTLED);
        let ids = ["m".to_owned()];
        for at in failures {
            deliveries.begin(&ids, *at);
            deliveries.fail(&ids);
        }
        deliveries.late_failures("m", most)
    }

    #[test]
    fn failures_in_the_aftermath_of_faults_and_a_single_later_one_are_excused() {
        let early = Millis(LATE.0 - 1);
        assert_eq!(late_failures(&[SETTLED, early, early], 3), None);
        assert_eq!(late_failures(&[SETTLED, early, LATE], 3), None);
        assert_eq!(late_failures(&[SETTLED, LATE, LATE], 3), Some(2));
        assert_eq!(late_failures(&[LATE, LATE], 3), None, "it has a delivery left");
        assert_eq!(late_failures(&[LATE], 1), Some(1));
    }

    #[test]
    fn only_failures_of_deliveries_that_began_late_are_late() {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        let mut deliveries = Deliveries::of(&template);
        let ids = ["m".to_owned()];
        // Nothing is late while there are faults.
        deliveries.begin(&ids, Millis::hours(1));
        deliveries.settle(SETTLED);
        deliveries.begin(&ids, SETTLED);
        deliveries.fail(&ids);
        deliveries.fail(&ids);
        assert_eq!((deliveries.count("m"), deliveries.late_failures("m", 2)), (2, None));
        deliveries.begin(&ids, LATE);
        assert_eq!(deliveries.late_failures("m", 2), None, "it may have succeeded");
    }
}

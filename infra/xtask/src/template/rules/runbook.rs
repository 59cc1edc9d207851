//! Runbook and dashboard: each kind of alarm has a section, and the dashboard is valid JSON.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stack::Stack;
use super::words;

pub(super) fn complaints(alarms: Stack<'_>, dashboard: Stack<'_>, runbook: &str) -> Vec<String> {
    let sections = runbook.lines().filter_map(|line| line.strip_prefix("## "));
    let sections: BTreeSet<&str> = sections.collect();
    let mut explained = BTreeSet::new();
    let mut complaints = Vec::new();
    for alarm in alarms.resources("AWS::CloudWatch::Alarm") {
        let description = words::spelled(alarm.property("/AlarmDescription"));
        match description.split_once(" ${Runbook}#") {
            Some((_, section)) if sections.contains(section) => {
                explained.insert(section.to_owned());
            }
            Some((_, section)) => {
                complaints.push(format!("{}: the runbook has no section {section}", alarm.id));
            }
            None => complaints.push(format!("{}: has no link to the runbook", alarm.id)),
        }
    }
    let idle = sections.into_iter().filter(|section| !explained.contains(*section));
    complaints.extend(idle.map(|section| format!("runbook: no alarm links to {section}")));
    for dashboard in dashboard.resources("AWS::CloudWatch::Dashboard") {
        let body = words::spelled(dashboard.property("/DashboardBody"));
        if let Err(error) = serde_json::from_str::<Value>(&body) {
            complaints.push(format!("{}: is not JSON: {error}", dashboard.id));
        }
    }
    complaints
}

//! A function with an upstream, and one with a schedule.

use std::collections::BTreeMap;
use std::process::ExitCode;

use aws::upstream::Client as Bank;
use aws::upstream::Request as BankRequest;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::{Consumer, Query, ServiceError, Upstream};
use sam_template::Template;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use simulation::Millis;
use simulation::random::{Chance, Seeded};
use simulation::world::{
    ApiRequest, Client, Event, Fault, FaultMix, Happened, Oracle, Planned, Report, Simulation,
    View, Workload,
};

const BANK: Upstream = Upstream::new("bank");
const DAYS: TableName = TableName::new("days");

fn get_rate() -> ExitCode {
    aws::serve(|aws| GetRate { bank: aws.upstream(BANK) })
}

fn open_day() -> ExitCode {
    aws::consume(|_| OpenDay)
}

struct GetRate {
    bank: Bank,
}

impl Query for GetRate {
    const ROUTE: Route = Route::get("/rate");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[Resource::Upstream(BANK)];
    type Input = ();
    type Command = ();
    type Facts = Rate;

    async fn retrieve(&self, permit: &Permit<Anyone>, (): &()) -> Retrieved<Rate> {
        let answer = self.bank.send(permit, &BankRequest::get("/rate")).await;
        let response =
            answer.and_then(aws::upstream::Response::success).map_err(ServiceError::from)?;
        Ok(response.json().map_err(ServiceError::from)?)
    }

    const ALLOW: Allow<Self> = Allow::Always;
    type Reply = reply::Ok<Rate>;

    fn reply(rate: Rate) -> reply::Ok<Rate> {
        reply::Ok::of(rate)
    }
}

/// The rate of the bank.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rate {
    per_euro: String,
}

struct OpenDay;

impl Consumer for OpenDay {
    const SOURCE: Source = Source::Schedule(Schedule::cron("0/10 * * * ? *"));
    const RESOURCES: Resources = &[Resource::Table(DAYS, &[UpdateItem])];
    type Input = ScheduledRun;
    type Command = ScheduledRun;
    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &ScheduledRun) -> Retrieved<()> {
        Ok(())
    }

    fn decide(_: &Moment, _: &ScheduledRun, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none().write(Write::update::<Day>(Key::new("all")).add("runs", 1)))
    }
}

/// The count of runs.
#[derive(Debug, Serialize, Deserialize)]
struct Day {
    runs: u32,
}

impl Record for Day {
    const TABLE: TableName = DAYS;

    fn key(&self) -> Key {
        Key::new("all")
    }
}

struct Readers;

impl Workload for Readers {
    type Operation = u32;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<u32>> {
        (0..30).map(|number| Planned::within(Millis::seconds(1500), random, number)).collect()
    }

    async fn perform(&self, client: Client, _: &u32) {
        // The oracle sees the answer.
        let _ = client.send(ApiRequest::get("/rate")).await;
    }
}

/// An answer has the bank's rate or is an error; each run has its effect once.
#[derive(Debug, Clone, Default)]
struct Watch {
    due: u64,
}

impl Oracle for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn observe(&mut self, event: &Event, _: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Due { .. } => self.due += 1,
            Happened::Answered { status: 200, body, .. } if !body.contains("1.17") => {
                return Err(format!("no rate of the bank: {body}"));
            }
            Happened::Answered { status, body, .. } if (201..500).contains(status) => {
                return Err(format!("{status} is no answer about the bank: {body}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let runs = view.items("DaysTable").first().map(|day| day["runs"]["N"].clone());
        let runs = runs.and_then(|runs| runs.as_str()?.parse().ok()).unwrap_or(0_u64);
        if runs == self.due { Ok(()) } else { Err(format!("{runs} runs of {}", self.due)) }
    }
}

fn run(faults: FaultMix) -> Report {
    let source = include_str!("rates.yaml");
    let template = Template::parse(source, &BTreeMap::new()).unwrap();
    let bank =
        |_: &http::Request<Vec<u8>>| http::Response::new(br#"{ "perEuro": "1.17" }"#.to_vec());
    let simulation = Simulation::new(5)
        .template(&template)
        .function("GetRateFunction", get_rate)
        .function("OpenDayFunction", open_day)
        .upstream("bank", bank)
        .faults(faults)
        .workload(Readers)
        .check(Watch::default());
    simulation.run().unwrap()
}

fn answered(report: &Report, wanted: impl Fn(u16) -> bool) -> usize {
    let events = report.trace.events().iter();
    let is_wanted =
        |what: &Happened| matches!(what, Happened::Answered { status, .. } if wanted(*status));
    events.filter(|event| is_wanted(&event.what)).count()
}

#[test]
fn a_failing_slow_or_wrong_upstream_is_an_error_and_never_a_wrong_answer() {
    for fault in [Fault::FailingUpstream, Fault::WrongUpstream, Fault::SlowUpstream] {
        let report = run(FaultMix::only(fault, Chance::percent(50)));

        assert!(report.is_ok(), "{fault}: {:#?}", report.failures);
        assert!(answered(&report, |status| status == 200) > 0, "{fault}");
        assert!(answered(&report, |status| status >= 500) > 0, "{fault}");
    }
}

#[test]
fn a_schedule_that_runs_twice_or_late_has_its_effect_once() {
    for fault in [Fault::DuplicateSchedule, Fault::LateSchedule] {
        let report = run(FaultMix::only(fault, Chance::ALWAYS));

        assert!(report.is_ok(), "{fault}: {:#?}", report.failures);
        let events = report.trace.events().iter();
        let drawn = events.filter(|event| matches!(event.what, Happened::Drawn { .. })).count();
        assert!(drawn > 0, "{fault}");
    }
}

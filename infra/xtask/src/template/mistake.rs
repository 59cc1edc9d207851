//! A seeded mistake in a template.

use tooling::Error;

use super::expansion::Job;

/// A mistake in one of the templates.
pub(super) struct Mistake {
    file: &'static str,
    /// The correct text; its first occurrence is replaced.
    right: &'static str,
    /// The wrong text.
    wrong: &'static str,
    /// A part of the expected message.
    said: &'static str,
    /// The parameter for which another value reveals the mistake.
    pub(super) parameter: Option<&'static str>,
    /// Whether the template is stamped, like a deployed one.
    stamped: bool,
}

impl Mistake {
    /// Sets the parameter for which another value reveals the mistake.
    pub(super) const fn by(self, parameter: &'static str) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    /// Leaves the template unstamped.
    pub(super) const fn unstamped(self) -> Self {
        Self { stamped: false, ..self }
    }

    /// The templates with this mistake. They are linted only if cfn-lint should find it, since
    /// linting is slow.
    ///
    /// # Errors
    /// If the templates no longer contain the correct text.
    pub(super) fn made_in(&self, ours: &Job) -> Result<Job, Error> {
        let mut files = ours.files.clone();
        let text = files.get_mut(self.file).ok_or("a mistake in an unknown template")?;
        if !text.contains(self.right) {
            return Err(format!("{} no longer has {}", self.file, self.right).into());
        }
        *text = text.replacen(self.right, self.wrong, 1);
        let parameters = ours.parameters.clone();
        let lint = self.lint_rule().is_some();
        Ok(Job { files, parameters, lint, stamped: self.stamped && !lint })
    }

    /// The beginning of cfn-lint's message, if cfn-lint should find the mistake.
    pub(super) fn lint_rule(&self) -> Option<&'static str> {
        Some(self.said).filter(|said| said.contains("cfn-lint"))
    }

    /// Whether the templates have the wrong text.
    #[cfg(test)]
    pub(super) fn is_made_in(&self, job: &Job) -> bool {
        job.files.get(self.file).is_some_and(|text| text.contains(self.wrong))
    }

    /// An error sentence if none of these messages matches.
    pub(super) fn missed(&self, complaints: &[String]) -> Option<String> {
        let found = complaints.iter().any(|complaint| complaint.contains(self.said));
        let Self { right, wrong, said, .. } = self;
        (!found).then(|| format!("{right} → {wrong}: expected \"{said}\", found {complaints:?}"))
    }
}

/// A mistake in template.yaml.
pub(super) const fn main(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "template.yaml", right, wrong, said, parameter: None, stamped: true }
}

/// A mistake in infra/alarms.yaml.
pub(super) const fn alarms(
    right: &'static str,
    wrong: &'static str,
    said: &'static str,
) -> Mistake {
    Mistake { file: "infra/alarms.yaml", right, wrong, said, parameter: None, stamped: true }
}

/// A mistake in infra/deployments.yaml.
pub(super) const fn hook(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "infra/deployments.yaml", right, wrong, said, parameter: None, stamped: true }
}

/// A mistake in infra/edge.yaml.
pub(super) const fn edge(right: &'static str, wrong: &'static str, said: &'static str) -> Mistake {
    Mistake { file: "infra/edge.yaml", right, wrong, said, parameter: None, stamped: true }
}

/// A mistake in infra/backup.yaml.
pub(super) const fn backup(
    right: &'static str,
    wrong: &'static str,
    said: &'static str,
) -> Mistake {
    Mistake { file: "infra/backup.yaml", right, wrong, said, parameter: None, stamped: true }
}

//! Reports as streams of CSV: pages of rows from storage, cells from [`crate::evidence::report`]; nothing is
//! collected. The command line writes the same stream to a file.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use crate::app::App;
use crate::evidence::csv::Writer;
use crate::evidence::report::{
    ATTEMPTS, COMPLETIONS, CourseNow, Filter, Profile, Run, SHORT, attempt_row, completion_row,
    short_row,
};
use crate::ids::{ReportId, TenantId};
use crate::storage;
use crate::training::progress::released;

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// One row per person, course and cycle (`pm-completions/1`).
    Completions,
    /// One row per attempt, failed and open ones too.
    Attempts,
}

impl ReportKind {
    /// Reads a report's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "completions" => Some(Self::Completions),
            "attempts" => Some(Self::Attempts),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Attempts => "attempts",
        }
    }
}

/// One run of a report.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// Which report.
    pub kind: ReportKind,
    /// Full or short; completions only.
    pub profile: Profile,
    /// Which rows.
    pub filter: Filter,
    /// Who runs it: a token's id, or the command line.
    pub actor: String,
}

struct State {
    app: Arc<App>,
    tenant: TenantId,
    options: ReportOptions,
    run: Run,
    courses: HashMap<String, CourseNow>,
    after: String,
    row_no: u64,
    begun: bool,
    done: bool,
}

/// Records the run, then gives the CSV in chunks: header first, then a chunk for each page of people.
pub async fn csv_stream(
    app: Arc<App>,
    tenant: TenantId,
    options: ReportOptions,
) -> storage::Result<impl Stream<Item = storage::Result<Bytes>> + Send + 'static> {
    let now = app.now();
    let id = ReportId::new(now, &*app.entropy);
    let parameters = format!("{:?}", options.filter);
    let mut tx = app.db.begin_write().await?;
    tx.add_report_run(
        &id,
        &tenant,
        options.kind.name(),
        &parameters,
        &options.actor,
        now,
    )
    .await?;
    tx.commit().await?;
    let run = Run {
        report_id: id.to_string(),
        as_of: options.filter.as_of,
        public_url: app.public_url.to_string(),
    };
    let courses = app.catalogue.courses().iter().map(|c| {
        let now = CourseNow {
            title: c.title.clone(),
            version: c.version.to_string(),
            modules_required: released(c).count(),
            pass_mark_percent: c.pass_mark.percent(),
        };
        (c.code.to_string(), now)
    });
    let courses = courses.collect();
    let state = State {
        app,
        tenant,
        options,
        run,
        courses,
        after: String::new(),
        row_no: 0,
        begun: false,
        done: false,
    };
    Ok(stream::try_unfold(state, |mut state| async move {
        Ok(state.next_chunk().await?.map(|chunk| (chunk, state)))
    }))
}

impl State {
    async fn next_chunk(&mut self) -> storage::Result<Option<Bytes>> {
        let mut writer = Writer::default();
        if !self.begun {
            self.begun = true;
            match (self.options.kind, self.options.profile) {
                (ReportKind::Completions, Profile::Full) => writer.write(COMPLETIONS),
                (ReportKind::Completions, Profile::Short) => writer.write(SHORT),
                (ReportKind::Attempts, _) => writer.write(ATTEMPTS),
            }
            return Ok(Some(writer.into_bytes().into()));
        }
        if self.done {
            return Ok(None);
        }
        let more = match self.options.kind {
            ReportKind::Completions => self.completions(&mut writer).await?,
            ReportKind::Attempts => self.attempts(&mut writer).await?,
        };
        self.done = !more;
        Ok(more.then(|| writer.into_bytes().into()))
    }

    async fn completions(&mut self, writer: &mut Writer) -> storage::Result<bool> {
        let page = self
            .app
            .db
            .page_completions(&self.tenant, &self.options.filter, &self.after)
            .await?;
        let Some((rows, after)) = page else {
            return Ok(false);
        };
        self.after = after;
        for facts in rows {
            self.row_no += 1;
            let row = completion_row(
                &facts,
                self.courses.get(&facts.course_code),
                &self.run,
                self.row_no,
            );
            match self.options.profile {
                Profile::Full => writer.write(&row),
                Profile::Short => writer.write(short_row(&row)),
            }
        }
        Ok(true)
    }

    async fn attempts(&mut self, writer: &mut Writer) -> storage::Result<bool> {
        let page = self
            .app
            .db
            .page_attempts(&self.tenant, &self.options.filter, &self.after)
            .await?;
        let Some((rows, after)) = page else {
            return Ok(false);
        };
        self.after = after;
        for facts in rows {
            writer.write(attempt_row(&facts));
        }
        Ok(true)
    }
}

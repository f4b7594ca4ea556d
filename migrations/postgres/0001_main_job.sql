-- The main job: launch, learn, grade, attest, pass back, report.
-- Facts (attempt, attempt_result, completion, credit, attestation, ledger_entry) are only ever inserted.

CREATE TABLE tenant (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE api_token (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    label TEXT NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT
);

CREATE TABLE signing_key (
    kid TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL,
    active_from_ms BIGINT NOT NULL
);

CREATE TABLE platform (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    login_key TEXT NOT NULL UNIQUE,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    auth_url TEXT NOT NULL,
    token_url TEXT NOT NULL,
    token_aud TEXT,
    jwks_url TEXT NOT NULL,
    deployment_policy TEXT NOT NULL,
    service_origins TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, issuer, client_id)
);
CREATE INDEX platform_by_issuer ON platform (issuer, client_id);

CREATE TABLE deployment (
    platform_id TEXT NOT NULL REFERENCES platform (id),
    deployment_id TEXT NOT NULL,
    first_seen_at_ms BIGINT NOT NULL,
    PRIMARY KEY (platform_id, deployment_id)
);

CREATE TABLE login_state (
    state_hash BYTEA NOT NULL PRIMARY KEY,
    platform_id TEXT NOT NULL REFERENCES platform (id),
    nonce TEXT NOT NULL,
    binding_hash BYTEA NOT NULL,
    target_link_uri TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX login_state_by_expiry ON login_state (expires_at_ms);

CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    full_name TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX person_by_tenant ON person (tenant_id, id);

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    platform_id TEXT NOT NULL REFERENCES platform (id),
    sub TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at_ms BIGINT NOT NULL,
    UNIQUE (platform_id, sub)
);
CREATE INDEX account_by_person ON account (tenant_id, person_id);

CREATE TABLE context (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    platform_id TEXT NOT NULL REFERENCES platform (id),
    deployment_id TEXT NOT NULL,
    lms_id TEXT NOT NULL,
    title TEXT NOT NULL,
    label TEXT NOT NULL,
    UNIQUE (platform_id, deployment_id, lms_id)
);

CREATE TABLE resource_link (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    platform_id TEXT NOT NULL REFERENCES platform (id),
    deployment_id TEXT NOT NULL,
    lms_id TEXT NOT NULL,
    context_id TEXT REFERENCES context (id),
    title TEXT NOT NULL,
    course_code TEXT NOT NULL,
    module_code TEXT NOT NULL,
    line_item_url TEXT,
    line_items_url TEXT,
    ags_scopes TEXT NOT NULL,
    UNIQUE (platform_id, deployment_id, lms_id)
);

CREATE TABLE launch (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    resource_link_id TEXT NOT NULL REFERENCES resource_link (id),
    course_code TEXT NOT NULL,
    module_code TEXT NOT NULL,
    learner BOOLEAN NOT NULL,
    instructor BOOLEAN NOT NULL,
    test_user BOOLEAN NOT NULL,
    locale TEXT NOT NULL,
    return_url TEXT,
    launched_at_ms BIGINT NOT NULL
);
CREATE INDEX launch_by_person ON launch (tenant_id, person_id, resource_link_id);

CREATE TABLE web_session (
    id_hash BYTEA NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX web_session_by_expiry ON web_session (expires_at_ms);

CREATE TABLE question_version (
    question_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (question_id, version)
);

CREATE TABLE attempt (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    launch_id TEXT NOT NULL REFERENCES launch (id),
    course_code TEXT NOT NULL,
    course_version TEXT NOT NULL,
    module_code TEXT NOT NULL,
    module_version TEXT NOT NULL,
    cycle BIGINT NOT NULL,
    attempt_no BIGINT NOT NULL,
    draw TEXT NOT NULL,
    scoring_rule TEXT NOT NULL,
    pass_mark_percent BIGINT NOT NULL,
    channel TEXT NOT NULL,
    assurance TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, person_id, course_code, module_code, attempt_no)
);

CREATE TABLE attempt_answer (
    attempt_id TEXT NOT NULL REFERENCES attempt (id),
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    question_id TEXT NOT NULL,
    selection TEXT NOT NULL,
    saved_at_ms BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, question_id)
);

CREATE TABLE attempt_result (
    attempt_id TEXT NOT NULL PRIMARY KEY REFERENCES attempt (id),
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    submitted_at_ms BIGINT NOT NULL,
    score BIGINT NOT NULL,
    score_max BIGINT NOT NULL,
    percent_hundredths BIGINT NOT NULL,
    passed BOOLEAN NOT NULL,
    graded TEXT NOT NULL
);

CREATE TABLE completion (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    course_code TEXT NOT NULL,
    course_version TEXT NOT NULL,
    module_code TEXT NOT NULL,
    module_version TEXT NOT NULL,
    cycle BIGINT NOT NULL,
    attempt_id TEXT NOT NULL REFERENCES attempt (id),
    percent_hundredths BIGINT NOT NULL,
    passed_at_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, person_id, course_code, module_code, cycle)
);

CREATE TABLE credit (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    course_code TEXT NOT NULL,
    course_title TEXT NOT NULL,
    course_version TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    cycle BIGINT NOT NULL,
    modules TEXT NOT NULL,
    modules_required BIGINT NOT NULL,
    pass_mark_percent BIGINT NOT NULL,
    lowest_hundredths BIGINT NOT NULL,
    mean_hundredths BIGINT NOT NULL,
    completed_at_ms BIGINT NOT NULL,
    valid_until_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, person_id, course_code, cycle)
);

CREATE TABLE attestation (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    credit_id TEXT NOT NULL UNIQUE REFERENCES credit (id),
    statement TEXT NOT NULL,
    jws TEXT NOT NULL,
    jws_sha256 TEXT NOT NULL,
    signed_at_ms BIGINT NOT NULL
);

-- What the sealed record holds only as keyed hashes: dropped after its class of data ends.
CREATE TABLE attestation_origin (
    attestation_id TEXT NOT NULL PRIMARY KEY REFERENCES attestation (id),
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    hash_key BYTEA NOT NULL,
    ip TEXT NOT NULL,
    user_agent TEXT NOT NULL
);

CREATE TABLE ledger_entry (
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    leaf_index BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    entry TEXT NOT NULL,
    leaf_hash BYTEA NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, leaf_index)
);

-- The right edge of the tree and the counts per kind, so that appending reads no leaves; both follow from ledger_entry.
CREATE TABLE ledger_frontier (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenant (id),
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    counts TEXT NOT NULL
);

CREATE TABLE passback (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    resource_link_id TEXT NOT NULL REFERENCES resource_link (id),
    account_id TEXT NOT NULL REFERENCES account (id),
    score_hundredths BIGINT NOT NULL,
    comment TEXT NOT NULL,
    revision BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    sent_at_ms BIGINT NOT NULL,
    delivered_hundredths BIGINT,
    delivered_at_ms BIGINT,
    error_code TEXT,
    queued_at_ms BIGINT NOT NULL,
    UNIQUE (tenant_id, resource_link_id, account_id)
);
CREATE INDEX passback_due ON passback (state, next_at_ms);

CREATE TABLE report_run (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    report TEXT NOT NULL,
    parameters TEXT NOT NULL,
    actor TEXT NOT NULL,
    started_at_ms BIGINT NOT NULL
);

/**
 * The JSON of the console's addresses. The source is `infra/emulator/src/activity/view.rs`.
 * Times are RFC 3339 by the platform's clock, durations are milliseconds, `null` is unknown.
 *
 * @typedef {"routing"|"authentication"|"authorization"|"deserialization"|"validation"|"retrieval"|"rules"|"effects"|"response"} Stage
 * @typedef {"passed"|"refused"|"interrupted"|"running"|"notReached"|"unknown"} StageState
 * @typedef {{stage: Stage, state: StageState, tookMs: ?number, note: ?string}} StageBox
 * @typedef {[string, string]} Pair
 *
 * @typedef {object} RequestRow
 * @property {string} id
 * @property {number} number grows with each request
 * @property {?string} requestId
 * @property {string} at
 * @property {string} api
 * @property {string} method
 * @property {string} path
 * @property {?string} route
 * @property {?string} function
 * @property {?number} status `null` while it runs
 * @property {?string} code
 * @property {?number} tookMs
 * @property {?string} caller
 * @property {string} client
 * @property {boolean} coldStart
 * @property {boolean} replayed
 * @property {?Stage} refusedAt
 * @property {number} attempts
 *
 * @typedef {{requests: RequestRow[], total: number, dropped: number}} RequestPage
 *
 * @typedef {object} RequestFacts
 * @property {StageBox[]} stages nine, in order
 * @property {{query: Pair[], headers: Pair[], body: ?string, bodyBytes: number}} received
 * @property {?string} input
 * @property {{field: string, message: string}[]} fieldErrors
 * @property {Verdict[]} verdicts
 * @property {Fact[]} facts
 * @property {{cache: string, hit: boolean}[]} caches
 * @property {?{stage: Stage, code: string, message: string, cause: ?string}} rule
 * @property {?{attempts: CommitAttempt[], stale: string[]}} commit
 * @property {?{status: number, headers: Pair[], body: ?string, bodyBytes: number, by: string}} answer
 * @property {{what: string, failed: ?string, tookMs: ?number}[]} deferred
 * @property {LogView[]} logs
 * @property {PermissionView[]} permissions
 * @property {?InvocationView} invocation
 * @property {CallView[]} calls
 * @property {boolean} detailDropped
 * @typedef {RequestRow & RequestFacts} RequestDetail
 *
 * @typedef {{stage: Stage, by: string, allowed: boolean, cached: boolean, reason: string, tookMs: ?number}} Verdict
 * @typedef {{source: string, key: string, operation: string, found: ?number, readUnits: ?number, tookMs: number, error: ?string, call: number}} Fact
 * @typedef {"committed"|"conditionFailed"|"conflict"|"failed"|"running"} CommitOutcome
 * @typedef {{operation: string, outcome: CommitOutcome, writes: WriteView[], writeUnits: ?number, tookMs: number, call: number}} CommitAttempt
 * @typedef {"state"|"idempotencyRecord"|"inboxEntry"|"outboxRow"|"counter"} WriteKind
 * @typedef {{table: string, kind: WriteKind, action: string, key: string, condition: ?string, held: ?boolean, content: any, found: any, event: ?string}} WriteView
 * @typedef {{at: string, level: string, message: string, fields: Object<string, any>}} LogView
 * @typedef {{action: string, resource: string, allowed: boolean, count: number}} PermissionView
 * @typedef {{recordId: string, requestId: ?string, deliveries: number, outcome: string, error: ?string, stages: [string, number][]}} RecordView
 * @typedef {{id: string, function: string, environment: ?string, coldStart: boolean, queuedAt: string, waitedMs: ?number, tookMs: ?number, afterResponseMs: ?number, error: ?string, cause: string, records: RecordView[]}} InvocationView
 * @typedef {{service: string, operation: string, resources: string[], status: number, error: ?string, fault: ?string, atMs: number, tookMs: ?number, deferred: boolean, request: any, response: any}} CallView
 *
 * @typedef {"request"|"authorizer"|"invocation"|"row"|"message"|"deadLetter"|"mail"|"upstream"|"schedule"} NodeKind
 * @typedef {"waiting"|"working"|"done"|"retrying"|"failed"} NodeState
 * @typedef {{at: string, invocation: ?string, succeeded: ?boolean, error: ?string}} Delivery
 *
 * @typedef {object} JourneyNode
 * @property {string} id
 * @property {NodeKind} kind
 * @property {string} title
 * @property {?string} subtitle
 * @property {NodeState} state
 * @property {string} at
 * @property {?string} startedAt
 * @property {?string} endedAt
 * @property {?number} waitedMs
 * @property {?number} workedMs
 * @property {Delivery[]} deliveries
 * @property {?string} nextTryAt
 * @property {boolean} compensates
 * @property {?string} error
 * @property {?string} link
 *
 * @typedef {{from: string, to: string, label: string}} JourneyEdge
 * @typedef {{id: ?string, nodes: JourneyNode[], edges: JourneyEdge[], atRest: boolean, truncated: boolean}} Journey
 *
 * The id of a node is its kind and its title: `table/OrdersTable`.
 * @typedef {{id: string, kind: string, title: string, counts: Object<string, number>}} MapNode
 * @typedef {{nodes: MapNode[], edges: {from: string, to: string, label: string}[]}} PlatformMap
 */
export {};

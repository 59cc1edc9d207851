//! The edge in front of the API: a domain, and `CloudFront` with a web ACL.

use serde_json::Value;

use super::stack::Stack;
use super::words;

/// The cache key: the headers in `Vary`, and the token, so that a user never gets another's
/// response.
const KEY: [&str; 3] = ["Accept", "Authorization", "Origin"];

/// The errors that `CloudFront` always caches: for 10 seconds by default, with any headers
/// (developer guide, `HTTPStatusCodes`).
const CACHED_ERRORS: [u16; 8] = [404, 405, 414, 500, 501, 502, 503, 504];

/// The header that proves to the API that a request came through the distribution.
const PROOF: &str = "X-Origin-Verify";

/// Rules of the template: each names a parameter, and another parameter that it requires.
const ASSERTED: [(&str, &str, &str); 5] = [
    ("EdgeIsTrusted", "Edge", "TrustedHops"),
    ("EdgeIsTrusted", "Edge", "TrustedHopsSecret"),
    ("EndpointIsLeft", "DisableExecuteApiEndpoint", "DomainName"),
    ("BasePathIsMapped", "BasePath", "DomainName"),
    ("HopsAreTrusted", "TrustedHops", "TrustedHopsSecret"),
];

pub(super) fn complaints(main: Stack<'_>, edge: Stack<'_>, waf: Stack<'_>) -> Vec<String> {
    [asserted(main), domain(main), distribution(main, edge), filter(waf)].concat()
}

fn asserted(main: Stack<'_>) -> Vec<String> {
    let missing = ASSERTED.iter().filter(|(rule, parameter, needed)| {
        let rule = &main.0["Rules"][*rule];
        let condition = &rule["RuleCondition"];
        // A parameter is set if it equals a value, or if it does not equal its default.
        let condition = condition.pointer("/Fn::Not/0").unwrap_or(condition);
        let looks = condition["Fn::Equals"][0]["Ref"] == *parameter;
        let mut asserted = words::each(&rule["Assertions"])
            .map(|it| &it["Assert"]["Fn::Not"][0]["Fn::Equals"][0]["Ref"]);
        !(looks && asserted.any(|name| name == needed))
    });
    missing
        .map(|(_, parameter, needed)| format!("{parameter}: can be deployed without {needed}"))
        .collect()
}

fn domain(main: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for mapping in main.resources("AWS::ApiGatewayV2::ApiMapping") {
        if main.named("AWS::ApiGatewayV2::Api", mapping.property("/ApiId")).is_none() {
            complaints.push(format!("{}: maps to no API of the template", mapping.id));
        }
        if mapping.property("/ApiMappingKey/Fn::If/1/Ref") != "BasePath" {
            complaints.push(format!("{}: has no base path", mapping.id));
        }
    }
    let bodies = main.resources("AWS::ApiGatewayV2::Api").map(|api| (api, api.property("/Body")));
    let open = bodies.filter(|(_, body)| {
        let disabled = &body["servers"][0]["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"];
        disabled["Fn::If"][0] != "HasOwnDomainAlone"
    });
    complaints.extend(open.map(|(api, _)| format!("{}: can be called without its domain", api.id)));
    complaints.extend(address(main));
    complaints
}

/// The output with the API's address has to be one that answers: the pipeline's tests call it.
fn address(main: Stack<'_>) -> Option<String> {
    let value = &main.0["Outputs"]["ApiUrl"]["Value"]["Fn::If"];
    let own = value[1].to_string();
    let is_whole = ["${DomainName}", "${BasePath}"].iter().all(|part| own.contains(*part));
    let answers = value[0] == "HasOwnDomainAlone" && is_whole;
    (!answers)
        .then(|| "output ApiUrl: is not the address of an API with its domain alone".to_owned())
}

fn distribution(main: Stack<'_>, edge: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    let nested = main.resources("AWS::CloudFormation::Stack").find(|it| it.id == "EdgeStack");
    let secret = nested.map(|it| it.property("/Parameters/OriginSecret/Ref"));
    for distribution in edge.resources("AWS::CloudFront::Distribution") {
        let config = distribution.property("/DistributionConfig");
        let headers = words::each(&config["Origins"][0]["OriginCustomHeaders"]);
        let proof = headers.into_iter().find(|header| header["HeaderName"] == PROOF);
        let proves = proof.is_some_and(|header| header["HeaderValue"]["Ref"] == "OriginSecret");
        let uncached = CACHED_ERRORS.iter().all(|status| {
            words::each(&config["CustomErrorResponses"])
                .any(|it| it["ErrorCode"] == *status && it["ErrorCachingMinTTL"] == 0)
        });
        let checks = [
            (uncached, "caches errors"),
            (
                config["DefaultCacheBehavior"]["Compress"] == false,
                "makes entity tags weak by compression, and If-Match needs strong ones",
            ),
            (
                proves && secret.is_some_and(|it| it == "TrustedHopsSecret"),
                "the API cannot recognise its requests",
            ),
            (
                config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "https-only",
                "accepts tokens over plain HTTP",
            ),
            (
                config["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only",
                "sends tokens over plain HTTP",
            ),
            (!config["WebACLId"].is_null(), "has no web ACL"),
        ];
        let broken = checks.into_iter().filter(|(holds, _)| !holds);
        complaints.extend(broken.map(|(_, what)| format!("{}: {what}", distribution.id)));
    }
    for policy in edge.resources("AWS::CloudFront::CachePolicy") {
        let config = policy.property("/CachePolicyConfig");
        let key = &config["ParametersInCacheKeyAndForwardedToOrigin"];
        let headers: Vec<&Value> = words::each(&key["HeadersConfig"]["Headers"]).collect();
        let missing = KEY.iter().filter(|name| !headers.iter().any(|header| *header == *name));
        complaints.extend(
            missing.map(|name| format!("{}: shares responses that differ by {name}", policy.id)),
        );
        if key["QueryStringsConfig"]["QueryStringBehavior"] != "all" {
            complaints.push(format!("{}: shares responses that differ by the query", policy.id));
        }
        if config["DefaultTTL"] != 0 {
            complaints.push(format!("{}: caches responses without cache headers", policy.id));
        }
    }
    complaints
}

fn filter(waf: Stack<'_>) -> Vec<String> {
    let acls = waf.resources("AWS::WAFv2::WebACL");
    let others = acls.filter(|acl| !acl.is("/Scope", "CLOUDFRONT"));
    others.map(|acl| format!("{}: is not for CloudFront", acl.id)).collect()
}

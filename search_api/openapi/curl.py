"""A curl command for each operation, with the values of the examples."""

from __future__ import annotations

import json

from search_api.openapi.examples import (
    ARTICLE,
    BATCH_REQUESTS,
    HALF_TYPED_TEXT,
    QUESTION,
    RELATED,
    SUGGEST_REQUESTS,
    TASK,
)


def curl_commands(origin: str) -> dict[str, str]:
    """The command that tries each operation from a shell, by operation id."""
    body = json.dumps({"question": QUESTION, "limit": 3})
    words = QUESTION.replace(" ", "+")
    batch = json.dumps(BATCH_REQUESTS["two"]["value"])
    beginning = json.dumps(SUGGEST_REQUESTS["beginning"]["value"])
    passage = RELATED["results"][0]["citation"]
    key = '-H "Authorization: Bearer $KB_KEY"'
    article, task = f"{origin}/api/v1/articles/{ARTICLE['id']}", f"{origin}/api/v1/tasks"
    return {
        "search": f"curl {origin}/api/v1/search \\\n  --json '{body}'",
        "searchByAddress": f"curl '{origin}/api/v1/search?q={words}&limit=3'",
        "searchBatch": f"curl {origin}/api/v1/search/batch \\\n  --json '{batch}'",
        "related": f"curl '{origin}/api/v1/related?article={passage['article_id']}"
        f"&section={passage['section_id']}&start={passage['start']}'",
        "suggest": f"curl {origin}/api/v1/suggest \\\n  --json '{beginning}'",
        "suggestByAddress": f"curl '{origin}/api/v1/suggest?q={HALF_TYPED_TEXT.replace(' ', '+')}&limit=3'",
        "listArticles": f"curl '{origin}/api/v1/articles?limit=10'",
        "readArticle": f"curl {origin}/api/v1/articles/{ARTICLE['id']}",
        "putArticle": f"curl {key} -X PUT -H 'Content-Type: text/markdown' \\\n"
        f"  --data-binary @{ARTICLE['id']}.md {article}",
        "deleteArticle": f"curl {key} -X DELETE {article}",
        "uploadFiles": f"curl {key} -F file=@articles.zip -F file=@one-more.md {origin}/api/v1/upload",
        "importArticles": f"curl {key} -H 'Content-Type: application/jsonl' \\\n"
        f"  --data-binary @collection.jsonl {origin}/api/v1/import",
        "listTasks": f"curl {key} '{task}?limit=5'",
        "readTask": f"curl {key} {task}/{TASK['id']}",
        "followTask": f"curl -N {key} {task}/{TASK['id']}/events",
        "rebuild": f"curl {key} -X POST {origin}/api/v1/rebuild",
        "indexStatus": f"curl {key} {origin}/api/v1/status",
        "health": f"curl {origin}/healthz",
        "readiness": f"curl {origin}/readyz",
    }

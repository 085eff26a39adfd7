"""A signpost of deep data, as a caller of CKAN describes it."""

FIELD = {
    "name": "pulse",
    "label": "脈拍",
    "label_en": "Pulse",
    "type": "integer",
    "unit": "回/分",
    "meaning": "1分間の脈拍",
    "meaning_en": "Beats a minute",
}
SIGNPOST = {
    "url_type": "deep_data",
    "deep_dataset": "vitals",
    "deep_level": 4,
    "deep_persons": 3000,
    "deep_fields": [FIELD],
    "deep_register_no": "健康-1",
    **{f"deep_{one}": "文" for one in ("people", "purpose", "legal_ground", "ask", "consent")},
    **{f"deep_{one}_en": "Text" for one in ("people", "purpose", "legal_ground", "ask", "consent")},
    "name": "バイタル",
    "name_en": "Vital signs",
}

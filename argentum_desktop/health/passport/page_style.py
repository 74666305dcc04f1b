"""The style sheet of the HTML page: for a desk, for a phone, and for A4."""

from __future__ import annotations

from argentum_desktop.health.passport.page_palette import (
    ACCENT,
    ATTENTION,
    FAULT,
    GROUND,
    LINE,
    MUTED,
    PAPER,
    TEXT,
    WORKING,
)

CSS = f"""
*{{box-sizing:border-box}}
html{{background:{GROUND};-webkit-text-size-adjust:100%}}
body{{margin:0 auto;max-width:820px;padding:32px 40px;background:{PAPER};color:{TEXT};
 font:14px/1.5 Inter,"Segoe UI",Cantarell,"Noto Sans",Ubuntu,"DejaVu Sans",sans-serif;
 font-variant-numeric:tabular-nums;overflow-wrap:break-word;print-color-adjust:exact;-webkit-print-color-adjust:exact}}
p{{margin:0 0 8px}}
h1{{font-size:26px;line-height:1.2;margin:0 0 4px}}
h2{{font-size:16px;margin:32px 0 12px;padding-top:16px;border-top:1px solid {LINE}}}
h3{{font-size:14px;margin:0}}
svg{{display:block}}
svg text{{font-family:Inter,"Segoe UI",Cantarell,"Noto Sans",Ubuntu,"DejaVu Sans",sans-serif}}
figure{{margin:16px 0}}
figure svg{{width:100%;height:auto}}
figcaption,.muted,.note{{color:{MUTED};font-size:12px}}
code{{font-family:ui-monospace,"Cascadia Mono","DejaVu Sans Mono",monospace;font-size:13px}}
p>code{{display:block;background:{GROUND};border:1px solid {LINE};border-radius:6px;padding:8px 12px}}
.over{{color:{MUTED};font-size:12px;letter-spacing:.04em}}
.banner{{background:{ATTENTION};color:{PAPER};font-weight:600;border-radius:6px;padding:12px 16px;margin:0 0 16px}}
.grade{{display:flex;gap:24px;align-items:center;margin:24px 0 8px}}
.letter{{flex:none;width:104px;height:104px;border-radius:10px;border:3px solid;font-size:64px;font-weight:700;
 line-height:98px;text-align:center}}
.grade strong{{display:block;font-size:18px}}
.grade span{{display:block;color:{MUTED}}}
.reason{{font-size:16px;margin:16px 0 0}}
.good{{color:{WORKING}}}.note-tone{{color:{ACCENT}}}.attention{{color:{ATTENTION}}}.fault{{color:{FAULT}}}.quiet{{color:{MUTED}}}
.finding{{display:grid;grid-template-columns:14px minmax(0,1fr);gap:4px 12px;border:1px solid {LINE};border-radius:10px;
 padding:12px 16px;margin:0 0 8px}}
.finding svg{{margin-top:4px}}
.finding p{{grid-column:2;margin:0}}
.finding h3 span{{font-weight:400;margin-left:8px}}
dl{{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 16px;margin:0 0 12px}}
dt{{color:{MUTED}}}dd{{margin:0}}
.wide{{overflow-x:auto}}
table{{width:100%;border-collapse:collapse;font-size:13px;margin:0 0 8px}}
th{{text-align:left;font-weight:600;font-size:12px;color:{MUTED};border-bottom:1px solid {MUTED};padding:4px 8px;
 vertical-align:bottom}}
td{{border-bottom:1px solid {LINE};padding:6px 8px;vertical-align:top}}
th:first-child,td:first-child{{padding-left:0}}th:last-child,td:last-child{{padding-right:0}}
.n{{text-align:right}}
.wide td,.wide th,.sign{{white-space:nowrap}}
.stack table{{table-layout:fixed}}
.stack td:first-child{{font-weight:600}}.stack .note{{font-weight:400}}
td .note{{display:block;margin-top:2px}}
.sign{{display:inline-flex;gap:6px;align-items:center}}
.sign svg{{flex:none}}
.narrow{{display:none!important}}
footer{{color:{MUTED};font-size:12px;border-top:1px solid {LINE};margin-top:32px;padding-top:12px}}
@media screen and (max-width:640px){{
 body{{padding:20px 16px}}
 .narrow{{display:block!important}}.broad{{display:none!important}}
 .grade{{gap:16px}}.letter{{width:80px;height:80px;font-size:48px;line-height:74px}}
 dl{{display:block}}dd{{margin:0 0 8px}}
 .stack table,.stack tbody,.stack tr,.stack td{{display:block;width:100%}}
 .stack thead{{position:absolute;left:-9999px}}
 .stack tr{{border:1px solid {LINE};border-radius:10px;padding:12px;margin:0 0 8px}}
 .stack td{{display:flex;justify-content:space-between;gap:16px;border:0;padding:2px 0;text-align:right}}
 .stack td:first-child{{display:block;text-align:left;padding-bottom:6px}}
 .stack td:not(:first-child)::before{{content:attr(data-head);color:{MUTED};font-size:12px;text-align:left;flex:none}}
}}
@page{{size:A4;margin:16mm 15mm 18mm;
 @bottom-right{{content:counter(page) " / " counter(pages);font:9pt sans-serif;color:{MUTED}}}}}
@page simulated{{@top-center{{content:"SIMULATED";font:bold 10pt sans-serif;color:{ATTENTION}}}}}
@media print{{
 .simulated{{page:simulated}}
 html,body{{background:{PAPER}}}
 body{{max-width:none;padding:0;font-size:10pt}}
 table{{font-size:9pt}}th,td .note,figcaption,.muted{{font-size:8pt}}code{{font-size:9pt}}
 .wide{{overflow:visible}}
 h2{{margin:20px 0 8px;padding-top:12px}}td{{padding:4px 8px}}.wide th{{white-space:normal}}
 thead{{display:table-header-group}}
 tr,.finding,figure,.grade,dl,p{{break-inside:avoid}}
 h2,h3{{break-after:avoid}}
}}
"""

/** Short names of the documents that rules come from, by the ID that stands in the rules: [繁體中文, English]. */
export const sources = {
  "nhi-qa-2024-10": ["健保署 2.0 問答", "NHIA Q&A on 2.0"],
  "nhi-slides-2024-04": ["健保署簡報 113/4", "NHIA slides of April 2024"],
  "nhi-north-2022-03": ["健保署北區簡報 111/3", "NHIA North slides of March 2022"],
  "law-medical-care": ["健保醫療辦法", "NHI Medical Care Regulations"],
  "law-card": ["健保憑證管理辦法", "NHI Card Regulations"],
  "law-claims": ["醫療費用申報辦法", "NHI Claims Regulations"],
  "announcement-2026-new-year": ["衛福部 115 年春節公告", "MOHW announcement for New Year 2026"],
  "field-notes": ["公開程式與規定筆記", "Notes on public programs"],
};

// Made from the description of the nhirx counter, version 0.1.0, by docs/clients/csharp_client.py. Do not edit.
// .NET Framework 4.0 and newer, Mono. C# 5. No further packages.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text;

namespace Nhirx
{
    public interface INhirxValue
    {
        object ToJson();
    }

    /// <summary>What the counter refused: Code for the program, Zh and En for people. Status 0: it could not be reached.</summary>
    public sealed class NhirxException : Exception
    {
        public readonly int Status;
        public readonly string Code, Zh, En;
        public readonly Dictionary<string, object> Detail;

        public NhirxException(int status, string code, string zh, string en, Dictionary<string, object> detail) : base(code + ": " + zh)
        {
            Status = status; Code = code; Zh = zh; En = en; Detail = detail;
        }
    }

    public sealed partial class NhirxClient
    {
        private readonly string url, key;

        /// <summary>Milliseconds for one call. A dispensing waits for card and NHIA.</summary>
        public int Timeout = 120000;

        /// <param name="url">http://127.0.0.1:8755</param>
        /// <param name="key">what "nhirx counter key NAME" printed</param>
        public NhirxClient(string url, string key)
        {
            this.url = url.TrimEnd('/');
            this.key = key;
        }

        private byte[] Send(string method, string path, string media, byte[] body, params string[] heads)
        {
            var request = (HttpWebRequest)WebRequest.Create(url + path);
            request.Method = method;
            request.Timeout = Timeout;
            request.ReadWriteTimeout = Timeout;
            request.Proxy = null; // this computer needs none, and looking for one takes seconds
            request.ServicePoint.Expect100Continue = false;
            request.Headers["Authorization"] = "Bearer " + key;
            for (var at = 0; at + 1 < heads.Length; at += 2)
                if (heads[at + 1] != null) request.Headers[heads[at]] = heads[at + 1];
            try
            {
                if (body != null)
                {
                    request.ContentType = media;
                    request.ContentLength = body.Length;
                    using (var stream = request.GetRequestStream()) stream.Write(body, 0, body.Length);
                }
                else if (method != "GET") request.ContentLength = 0;
                using (var response = request.GetResponse()) return All(response);
            }
            catch (WebException error)
            {
                if (error.Response == null)
                    throw new NhirxException(0, "not-reached", "連不到 nhirx 調劑台，請確認已啟動。", "The nhirx counter cannot be reached: is it running?", null);
                using (var response = error.Response) throw Refused((HttpWebResponse)response);
            }
        }

        private static NhirxException Refused(HttpWebResponse response)
        {
            var status = (int)response.StatusCode;
            object inside = null;
            try { inside = Json.Get(Json.Parse(All(response)), "error"); }
            catch (FormatException) { }
            return new NhirxException(status, Json.Text(Json.Get(inside, "code")) ?? "http-" + status,
                Json.Text(Json.Get(inside, "zh")), Json.Text(Json.Get(inside, "en")), Json.Map(Json.Get(inside, "detail")));
        }

        private static byte[] All(WebResponse response)
        {
            using (var stream = response.GetResponseStream())
            using (var whole = new MemoryStream()) { stream.CopyTo(whole); return whole.ToArray(); }
        }
    }

    /// <summary>JSON as Dictionary, List, string, long, double, bool and null.</summary>
    public static class Json
    {
        public static object Get(object from, string name)
        {
            var map = from as Dictionary<string, object>;
            object found;
            return map != null && map.TryGetValue(name, out found) ? found : null;
        }

        public static void Put(Dictionary<string, object> into, string name, object value) { if (value != null) into[name] = value; }

        public static string Text(object value) { return value == null ? null : Convert.ToString(value, CultureInfo.InvariantCulture); }
        public static long Long(object value) { return LongOrNull(value) ?? 0; }
        public static long? LongOrNull(object value) { return value == null ? (long?)null : Convert.ToInt64(value, CultureInfo.InvariantCulture); }
        public static double Double(object value) { return DoubleOrNull(value) ?? 0; }
        public static double? DoubleOrNull(object value) { return value == null ? (double?)null : Convert.ToDouble(value, CultureInfo.InvariantCulture); }
        public static bool Bool(object value) { return BoolOrNull(value) ?? false; }
        public static bool? BoolOrNull(object value) { return value as bool?; }
        public static Dictionary<string, object> Map(object value) { return value as Dictionary<string, object>; }

        public static List<T> List<T>(object value, Func<object, T> read)
        {
            var items = value as List<object>;
            if (items == null) return null;
            var made = new List<T>();
            foreach (var each in items) made.Add(read(each));
            return made;
        }

        public static string Escape(object value) { return Uri.EscapeDataString(Text(value)); }

        public static string Query(string address, string name, object value)
        {
            if (value == null) return address;
            return address + (address.Contains("?") ? "&" : "?") + name + "=" + Escape(value is bool ? ((bool)value ? "true" : "false") : value);
        }

        public static string Utf8(byte[] data) { return Encoding.UTF8.GetString(data); }
        public static byte[] ToBytes(object value) { return Encoding.UTF8.GetBytes(Write(value)); }
        public static object Parse(byte[] data) { return Parse(Utf8(data)); }

        public static string Write(object value)
        {
            var text = new StringBuilder();
            Write(text, value);
            return text.ToString();
        }

        private static void Write(StringBuilder text, object value)
        {
            if (value is INhirxValue) value = ((INhirxValue)value).ToJson();
            if (value == null) text.Append("null");
            else if (value is string) Quote(text, (string)value);
            else if (value is bool) text.Append((bool)value ? "true" : "false");
            else if (value is System.Collections.IDictionary)
            {
                var first = true;
                text.Append('{');
                foreach (System.Collections.DictionaryEntry each in (System.Collections.IDictionary)value)
                {
                    if (!first) text.Append(',');
                    first = false;
                    Quote(text, (string)each.Key);
                    text.Append(':');
                    Write(text, each.Value);
                }
                text.Append('}');
            }
            else if (value is System.Collections.IEnumerable)
            {
                var first = true;
                text.Append('[');
                foreach (var each in (System.Collections.IEnumerable)value)
                {
                    if (!first) text.Append(',');
                    first = false;
                    Write(text, each);
                }
                text.Append(']');
            }
            else text.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        private static void Quote(StringBuilder text, string value)
        {
            text.Append('"');
            foreach (var each in value)
                if (each == '"' || each == '\\') text.Append('\\').Append(each);
                else if (each < ' ') text.Append("\\u").Append(((int)each).ToString("x4"));
                else text.Append(each);
            text.Append('"');
        }

        /// <summary>Throws FormatException for what is no JSON.</summary>
        public static object Parse(string text)
        {
            var at = 0;
            var value = Value(text, ref at, 0);
            Space(text, ref at);
            if (at != text.Length) throw new FormatException("JSON");
            return value;
        }

        private static void Space(string text, ref int at)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        }

        private static bool Next(string text, ref int at, char wanted)
        {
            Space(text, ref at);
            if (at < text.Length && text[at] == wanted) { at++; return true; }
            return false;
        }

        private static object Value(string text, ref int at, int depth)
        {
            if (depth > 200) throw new FormatException("JSON");
            if (Next(text, ref at, '{'))
            {
                var map = new Dictionary<string, object>();
                if (Next(text, ref at, '}')) return map;
                do
                {
                    Space(text, ref at);
                    var name = Word(text, ref at);
                    if (!Next(text, ref at, ':')) throw new FormatException("JSON");
                    map[name] = Value(text, ref at, depth + 1);
                } while (Next(text, ref at, ','));
                if (!Next(text, ref at, '}')) throw new FormatException("JSON");
                return map;
            }
            if (Next(text, ref at, '['))
            {
                var list = new List<object>();
                if (Next(text, ref at, ']')) return list;
                do list.Add(Value(text, ref at, depth + 1)); while (Next(text, ref at, ','));
                if (!Next(text, ref at, ']')) throw new FormatException("JSON");
                return list;
            }
            if (at < text.Length && text[at] == '"') return Word(text, ref at);
            var start = at;
            while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '-' || text[at] == '+' || text[at] == '.')) at++;
            var word = text.Substring(start, at - start);
            if (word == "null") return null;
            if (word == "true" || word == "false") return word == "true";
            long whole;
            double number;
            if (long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)) return whole;
            if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return number;
            throw new FormatException("JSON");
        }

        private static string Word(string text, ref int at)
        {
            if (at >= text.Length || text[at] != '"') throw new FormatException("JSON");
            var made = new StringBuilder();
            for (at++; at < text.Length && text[at] != '"'; at++)
            {
                if (text[at] != '\\') { made.Append(text[at]); continue; }
                if (++at >= text.Length) break;
                var found = "bfnrt".IndexOf(text[at]);
                if (text[at] == 'u')
                {
                    if (at + 4 >= text.Length) throw new FormatException("JSON");
                    made.Append((char)int.Parse(text.Substring(at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    at += 4;
                }
                else made.Append(found < 0 ? text[at] : "\b\f\n\r\t"[found]);
            }
            if (at++ >= text.Length) throw new FormatException("JSON");
            return made.ToString();
        }
    }

    public sealed class CardAnswer : INhirxValue
    {
        public HolderShown Holder;
        /// <summary>與這個呼叫者最近一次 POST /plan 的病人相同 Whether it is the patient of this caller's last plan.</summary>
        public bool? Matches;
        /// <summary>另一筆調劑正在用卡 A dispensing has the card.</summary>
        public bool? Busy;
        public static CardAnswer From(object from)
        {
            if (from == null) return null;
            var made = new CardAnswer();
            made.Holder = HolderShown.From(Json.Get(from, "holder"));
            made.Matches = Json.BoolOrNull(Json.Get(from, "matches"));
            made.Busy = Json.BoolOrNull(Json.Get(from, "busy"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "holder", Holder);
            Json.Put(made, "matches", Matches);
            Json.Put(made, "busy", Busy);
            return made;
        }
    }

    public sealed class CardFacts : INhirxValue
    {
        public string State;
        public string AbnormalSerial;
        public static CardFacts From(object from)
        {
            if (from == null) return null;
            var made = new CardFacts();
            made.State = Json.Text(Json.Get(from, "state"));
            made.AbnormalSerial = Json.Text(Json.Get(from, "abnormal_serial"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "state", State);
            Json.Put(made, "abnormal_serial", AbnormalSerial);
            return made;
        }
    }

    public sealed class CodeText : INhirxValue
    {
        /// <summary>輸入或掃描器打出的原文，含結尾的 Enter What was typed or scanned, Enter included.</summary>
        public string Text;
        public static CodeText From(object from)
        {
            if (from == null) return null;
            var made = new CodeText();
            made.Text = Json.Text(Json.Get(from, "text"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "text", Text);
            return made;
        }
    }

    public sealed class CorrectionAnswer : INhirxValue
    {
        /// <summary>規則能給出唯一的更正 Whether the rules give a single right content.</summary>
        public bool Possible;
        public List<Dictionary<string, object>> Changes;
        /// <summary>需由人員填值的錯誤 Errors for which a person has to give a value.</summary>
        public List<Dictionary<string, object>> Open;
        public List<Dictionary<string, object>> Findings;
        public static CorrectionAnswer From(object from)
        {
            if (from == null) return null;
            var made = new CorrectionAnswer();
            made.Possible = Json.Bool(Json.Get(from, "possible"));
            made.Changes = Json.List<Dictionary<string, object>>(Json.Get(from, "changes"), each => Json.Map(each));
            made.Open = Json.List<Dictionary<string, object>>(Json.Get(from, "open"), each => Json.Map(each));
            made.Findings = Json.List<Dictionary<string, object>>(Json.Get(from, "findings"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "possible", Possible);
            Json.Put(made, "changes", Changes);
            Json.Put(made, "open", Open);
            Json.Put(made, "findings", Findings);
            return made;
        }
    }

    public sealed class CorrectionBody : INhirxValue
    {
        /// <summary>人員填入的欄位；null 表示移除 Values a person sets; null takes the field out.</summary>
        public Dictionary<string, object> Fields;
        /// <summary>醫令序號（由 1 起）→ 欄位 Order line, from 1, to its fields.</summary>
        public Dictionary<string, object> Orders;
        public static CorrectionBody From(object from)
        {
            if (from == null) return null;
            var made = new CorrectionBody();
            made.Fields = Json.Map(Json.Get(from, "fields"));
            made.Orders = Json.Map(Json.Get(from, "orders"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "fields", Fields);
            Json.Put(made, "orders", Orders);
            return made;
        }
    }

    public sealed class Created : INhirxValue
    {
        public long Id;
        public string State;
        public static Created From(object from)
        {
            if (from == null) return null;
            var made = new Created();
            made.Id = Json.Long(Json.Get(from, "id"));
            made.State = Json.Text(Json.Get(from, "state"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "id", Id);
            Json.Put(made, "state", State);
            return made;
        }
    }

    public sealed class DispenseBody : INhirxValue
    {
        public Prescription Prescription;
        /// <summary>POST /scans 或 /scans/live 的 ref</summary>
        public string ScanRef;
        /// <summary>人員已對照處方箋與身分 A person has compared the sheet and the papers.</summary>
        public bool? Confirmed;
        public CardFacts Card;
        public MakeUpFacts MakeUp;
        /// <summary>調劑時間；省略為現在 When it is dispensed; now when left out.</summary>
        public string DispensedAt;
        /// <summary>虛擬健保卡 QR Code 的內容，只用一次</summary>
        public string VirtualToken;
        /// <summary>補卡所完成的欠卡調劑 The held dispensing it settles.</summary>
        public long? Settles;
        /// <summary>人員宣告識別碼無法讀取；影像與原因加密保存 Declared illegible; picture and cause are kept, sealed.</summary>
        public IllegibleBody Illegible;
        public static DispenseBody From(object from)
        {
            if (from == null) return null;
            var made = new DispenseBody();
            made.Prescription = Prescription.From(Json.Get(from, "prescription"));
            made.ScanRef = Json.Text(Json.Get(from, "scan_ref"));
            made.Confirmed = Json.BoolOrNull(Json.Get(from, "confirmed"));
            made.Card = CardFacts.From(Json.Get(from, "card"));
            made.MakeUp = MakeUpFacts.From(Json.Get(from, "make_up"));
            made.DispensedAt = Json.Text(Json.Get(from, "dispensed_at"));
            made.VirtualToken = Json.Text(Json.Get(from, "virtual_token"));
            made.Settles = Json.LongOrNull(Json.Get(from, "settles"));
            made.Illegible = IllegibleBody.From(Json.Get(from, "illegible"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "prescription", Prescription);
            Json.Put(made, "scan_ref", ScanRef);
            Json.Put(made, "confirmed", Confirmed);
            Json.Put(made, "card", Card);
            Json.Put(made, "make_up", MakeUp);
            Json.Put(made, "dispensed_at", DispensedAt);
            Json.Put(made, "virtual_token", VirtualToken);
            Json.Put(made, "settles", Settles);
            Json.Put(made, "illegible", Illegible);
            return made;
        }
    }

    public sealed class DispensingAnswer : INhirxValue
    {
        public Dictionary<string, object> Dispensing;
        public static DispensingAnswer From(object from)
        {
            if (from == null) return null;
            var made = new DispensingAnswer();
            made.Dispensing = Json.Map(Json.Get(from, "dispensing"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "dispensing", Dispensing);
            return made;
        }
    }

    public sealed class ErrorAnswer : INhirxValue
    {
        public ErrorInside Error;
        public static ErrorAnswer From(object from)
        {
            if (from == null) return null;
            var made = new ErrorAnswer();
            made.Error = ErrorInside.From(Json.Get(from, "error"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "error", Error);
            return made;
        }
    }

    public sealed class ErrorInside : INhirxValue
    {
        /// <summary>供程式比對 What programs match on.</summary>
        public string Code;
        /// <summary>給人看的說明：發生什麼、要做什麼 For people, zh-TW.</summary>
        public string Zh;
        /// <summary>For people, English.</summary>
        public string En;
        /// <summary>說明中提到的值；不含個資 What the words mention; never personal data.</summary>
        public Dictionary<string, object> Detail;
        public static ErrorInside From(object from)
        {
            if (from == null) return null;
            var made = new ErrorInside();
            made.Code = Json.Text(Json.Get(from, "code"));
            made.Zh = Json.Text(Json.Get(from, "zh"));
            made.En = Json.Text(Json.Get(from, "en"));
            made.Detail = Json.Map(Json.Get(from, "detail"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "code", Code);
            Json.Put(made, "zh", Zh);
            Json.Put(made, "en", En);
            Json.Put(made, "detail", Detail);
            return made;
        }
    }

    public sealed class FindAnswer : INhirxValue
    {
        /// <summary>處方內容；null 表示沒有外掛認得 null: no plugin knows it.</summary>
        public Dictionary<string, object> Prescription;
        /// <summary>提供處方的外掛 The plugin that knew it.</summary>
        public string Source;
        public static FindAnswer From(object from)
        {
            if (from == null) return null;
            var made = new FindAnswer();
            made.Prescription = Json.Map(Json.Get(from, "prescription"));
            made.Source = Json.Text(Json.Get(from, "source"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "prescription", Prescription);
            Json.Put(made, "source", Source);
            return made;
        }
    }

    public sealed class FindBody : INhirxValue
    {
        /// <summary>掃描的編號 ref of a scan.</summary>
        public string Ref;
        /// <summary>條碼內容或就醫識別碼 A code's text or a visit ID.</summary>
        public string Text;
        public static FindBody From(object from)
        {
            if (from == null) return null;
            var made = new FindBody();
            made.Ref = Json.Text(Json.Get(from, "ref"));
            made.Text = Json.Text(Json.Get(from, "text"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "ref", Ref);
            Json.Put(made, "text", Text);
            return made;
        }
    }

    public sealed class GivenBack : INhirxValue
    {
        public long Id;
        public bool GivenBackValue;
        public string State;
        public static GivenBack From(object from)
        {
            if (from == null) return null;
            var made = new GivenBack();
            made.Id = Json.Long(Json.Get(from, "id"));
            made.GivenBackValue = Json.Bool(Json.Get(from, "given_back"));
            made.State = Json.Text(Json.Get(from, "state"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "id", Id);
            Json.Put(made, "given_back", GivenBackValue);
            Json.Put(made, "state", State);
            return made;
        }
    }

    public sealed class HolderShown : INhirxValue
    {
        public string Name;
        public string NationalId;
        public string BirthDate;
        public string Sex;
        public static HolderShown From(object from)
        {
            if (from == null) return null;
            var made = new HolderShown();
            made.Name = Json.Text(Json.Get(from, "name"));
            made.NationalId = Json.Text(Json.Get(from, "national_id"));
            made.BirthDate = Json.Text(Json.Get(from, "birth_date"));
            made.Sex = Json.Text(Json.Get(from, "sex"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "name", Name);
            Json.Put(made, "national_id", NationalId);
            Json.Put(made, "birth_date", BirthDate);
            Json.Put(made, "sex", Sex);
            return made;
        }
    }

    public sealed class Identity : INhirxValue
    {
        public string NationalId;
        public string BirthDate;
        public string Name;
        public static Identity From(object from)
        {
            if (from == null) return null;
            var made = new Identity();
            made.NationalId = Json.Text(Json.Get(from, "national_id"));
            made.BirthDate = Json.Text(Json.Get(from, "birth_date"));
            made.Name = Json.Text(Json.Get(from, "name"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "national_id", NationalId);
            Json.Put(made, "birth_date", BirthDate);
            Json.Put(made, "name", Name);
            return made;
        }
    }

    public sealed class IllegibleBody : INhirxValue
    {
        public string Cause;
        public string Note;
        public static IllegibleBody From(object from)
        {
            if (from == null) return null;
            var made = new IllegibleBody();
            made.Cause = Json.Text(Json.Get(from, "cause"));
            made.Note = Json.Text(Json.Get(from, "note"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "cause", Cause);
            Json.Put(made, "note", Note);
            return made;
        }
    }

    public sealed class Items : INhirxValue
    {
        public List<Dictionary<string, object>> ItemsValue;
        public static Items From(object from)
        {
            if (from == null) return null;
            var made = new Items();
            made.ItemsValue = Json.List<Dictionary<string, object>>(Json.Get(from, "items"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "items", ItemsValue);
            return made;
        }
    }

    public sealed class LinkToken : INhirxValue
    {
        /// <summary>一次性連結中的代碼 The token of the one-time link.</summary>
        public string Token;
        public static LinkToken From(object from)
        {
            if (from == null) return null;
            var made = new LinkToken();
            made.Token = Json.Text(Json.Get(from, "token"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "token", Token);
            return made;
        }
    }

    public sealed class MakeUpAnswer : INhirxValue
    {
        public long Settles;
        public Dictionary<string, object> Prescription;
        public Dictionary<string, object> MakeUp;
        public static MakeUpAnswer From(object from)
        {
            if (from == null) return null;
            var made = new MakeUpAnswer();
            made.Settles = Json.Long(Json.Get(from, "settles"));
            made.Prescription = Json.Map(Json.Get(from, "prescription"));
            made.MakeUp = Json.Map(Json.Get(from, "make_up"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "settles", Settles);
            Json.Put(made, "prescription", Prescription);
            Json.Put(made, "make_up", MakeUp);
            return made;
        }
    }

    public sealed class MakeUpFacts : INhirxValue
    {
        public string ActualVisitedAt;
        public string ActualVisitId;
        public static MakeUpFacts From(object from)
        {
            if (from == null) return null;
            var made = new MakeUpFacts();
            made.ActualVisitedAt = Json.Text(Json.Get(from, "actual_visited_at"));
            made.ActualVisitId = Json.Text(Json.Get(from, "actual_visit_id"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "actual_visited_at", ActualVisitedAt);
            Json.Put(made, "actual_visit_id", ActualVisitId);
            return made;
        }
    }

    public sealed class NewOperator : INhirxValue
    {
        public string Name;
        /// <summary>4–32 個字 characters</summary>
        public string Pin;
        public static NewOperator From(object from)
        {
            if (from == null) return null;
            var made = new NewOperator();
            made.Name = Json.Text(Json.Get(from, "name"));
            made.Pin = Json.Text(Json.Get(from, "pin"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "name", Name);
            Json.Put(made, "pin", Pin);
            return made;
        }
    }

    public sealed class Newborn : INhirxValue
    {
        public string BirthDate;
        public long? Multiple;
        public string Mark;
        public bool? HasId;
        public static Newborn From(object from)
        {
            if (from == null) return null;
            var made = new Newborn();
            made.BirthDate = Json.Text(Json.Get(from, "birth_date"));
            made.Multiple = Json.LongOrNull(Json.Get(from, "multiple"));
            made.Mark = Json.Text(Json.Get(from, "mark"));
            made.HasId = Json.BoolOrNull(Json.Get(from, "has_id"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "birth_date", BirthDate);
            Json.Put(made, "multiple", Multiple);
            Json.Put(made, "mark", Mark);
            Json.Put(made, "has_id", HasId);
            return made;
        }
    }

    public sealed class Operator : INhirxValue
    {
        public string Name;
        public static Operator From(object from)
        {
            if (from == null) return null;
            var made = new Operator();
            made.Name = Json.Text(Json.Get(from, "name"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "name", Name);
            return made;
        }
    }

    public sealed class OperatorList : INhirxValue
    {
        public List<Operator> Items;
        public static OperatorList From(object from)
        {
            if (from == null) return null;
            var made = new OperatorList();
            made.Items = Json.List<Operator>(Json.Get(from, "items"), each => Operator.From(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "items", Items);
            return made;
        }
    }

    public sealed class Order : INhirxValue
    {
        public string Kind;
        public string Code;
        public string Usage;
        public long? Days;
        public double? Total;
        public string Route;
        public bool? LongTerm;
        public bool? Substituted;
        public static Order From(object from)
        {
            if (from == null) return null;
            var made = new Order();
            made.Kind = Json.Text(Json.Get(from, "kind"));
            made.Code = Json.Text(Json.Get(from, "code"));
            made.Usage = Json.Text(Json.Get(from, "usage"));
            made.Days = Json.LongOrNull(Json.Get(from, "days"));
            made.Total = Json.DoubleOrNull(Json.Get(from, "total"));
            made.Route = Json.Text(Json.Get(from, "route"));
            made.LongTerm = Json.BoolOrNull(Json.Get(from, "long_term"));
            made.Substituted = Json.BoolOrNull(Json.Get(from, "substituted"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "kind", Kind);
            Json.Put(made, "code", Code);
            Json.Put(made, "usage", Usage);
            Json.Put(made, "days", Days);
            Json.Put(made, "total", Total);
            Json.Put(made, "route", Route);
            Json.Put(made, "long_term", LongTerm);
            Json.Put(made, "substituted", Substituted);
            return made;
        }
    }

    public sealed class Patient : INhirxValue
    {
        public string NationalId;
        public string BirthDate;
        public string NoNhiStatus;
        public Newborn Newborn;
        public static Patient From(object from)
        {
            if (from == null) return null;
            var made = new Patient();
            made.NationalId = Json.Text(Json.Get(from, "national_id"));
            made.BirthDate = Json.Text(Json.Get(from, "birth_date"));
            made.NoNhiStatus = Json.Text(Json.Get(from, "no_nhi_status"));
            made.Newborn = Newborn.From(Json.Get(from, "newborn"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "national_id", NationalId);
            Json.Put(made, "birth_date", BirthDate);
            Json.Put(made, "no_nhi_status", NoNhiStatus);
            Json.Put(made, "newborn", Newborn);
            return made;
        }
    }

    public sealed class PlanBody : INhirxValue
    {
        public Prescription Prescription;
        /// <summary>POST /scans 或 /scans/live 的 ref</summary>
        public string ScanRef;
        /// <summary>人員已對照處方箋與身分 A person has compared the sheet and the papers.</summary>
        public bool? Confirmed;
        public CardFacts Card;
        public MakeUpFacts MakeUp;
        /// <summary>調劑時間；省略為現在 When it is dispensed; now when left out.</summary>
        public string DispensedAt;
        public static PlanBody From(object from)
        {
            if (from == null) return null;
            var made = new PlanBody();
            made.Prescription = Prescription.From(Json.Get(from, "prescription"));
            made.ScanRef = Json.Text(Json.Get(from, "scan_ref"));
            made.Confirmed = Json.BoolOrNull(Json.Get(from, "confirmed"));
            made.Card = CardFacts.From(Json.Get(from, "card"));
            made.MakeUp = MakeUpFacts.From(Json.Get(from, "make_up"));
            made.DispensedAt = Json.Text(Json.Get(from, "dispensed_at"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "prescription", Prescription);
            Json.Put(made, "scan_ref", ScanRef);
            Json.Put(made, "confirmed", Confirmed);
            Json.Put(made, "card", Card);
            Json.Put(made, "make_up", MakeUp);
            Json.Put(made, "dispensed_at", DispensedAt);
            return made;
        }
    }

    public sealed class Prescription : INhirxValue
    {
        public Patient Patient;
        public PrescriptionFacts Sheet;
        public List<string> Diagnoses;
        public long? Days;
        public string PaymentCategory;
        public long? Fee;
        public long? Copayment;
        public List<Order> Orders;
        public string Reference;
        public static Prescription From(object from)
        {
            if (from == null) return null;
            var made = new Prescription();
            made.Patient = Patient.From(Json.Get(from, "patient"));
            made.Sheet = PrescriptionFacts.From(Json.Get(from, "sheet"));
            made.Diagnoses = Json.List<string>(Json.Get(from, "diagnoses"), each => Json.Text(each));
            made.Days = Json.LongOrNull(Json.Get(from, "days"));
            made.PaymentCategory = Json.Text(Json.Get(from, "payment_category"));
            made.Fee = Json.LongOrNull(Json.Get(from, "fee"));
            made.Copayment = Json.LongOrNull(Json.Get(from, "copayment"));
            made.Orders = Json.List<Order>(Json.Get(from, "orders"), each => Order.From(each));
            made.Reference = Json.Text(Json.Get(from, "reference"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "patient", Patient);
            Json.Put(made, "sheet", Sheet);
            Json.Put(made, "diagnoses", Diagnoses);
            Json.Put(made, "days", Days);
            Json.Put(made, "payment_category", PaymentCategory);
            Json.Put(made, "fee", Fee);
            Json.Put(made, "copayment", Copayment);
            Json.Put(made, "orders", Orders);
            Json.Put(made, "reference", Reference);
            return made;
        }
    }

    public sealed class PrescriptionFacts : INhirxValue
    {
        public string VisitId;
        public string VisitIdState;
        public string VisitSerial;
        public string Institution;
        public string VisitedAt;
        public string PrescriberFormat;
        public Refill Refill;
        public static PrescriptionFacts From(object from)
        {
            if (from == null) return null;
            var made = new PrescriptionFacts();
            made.VisitId = Json.Text(Json.Get(from, "visit_id"));
            made.VisitIdState = Json.Text(Json.Get(from, "visit_id_state"));
            made.VisitSerial = Json.Text(Json.Get(from, "visit_serial"));
            made.Institution = Json.Text(Json.Get(from, "institution"));
            made.VisitedAt = Json.Text(Json.Get(from, "visited_at"));
            made.PrescriberFormat = Json.Text(Json.Get(from, "prescriber_format"));
            made.Refill = Refill.From(Json.Get(from, "refill"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "visit_id", VisitId);
            Json.Put(made, "visit_id_state", VisitIdState);
            Json.Put(made, "visit_serial", VisitSerial);
            Json.Put(made, "institution", Institution);
            Json.Put(made, "visited_at", VisitedAt);
            Json.Put(made, "prescriber_format", PrescriberFormat);
            Json.Put(made, "refill", Refill);
            return made;
        }
    }

    public sealed class ReaderState : INhirxValue
    {
        public string State;
        public string WordsZh;
        public string WordsEn;
        /// <summary>卡片無法讀取時的錯誤代碼 Why the card in the reader cannot be read.</summary>
        public string Code;
        public static ReaderState From(object from)
        {
            if (from == null) return null;
            var made = new ReaderState();
            made.State = Json.Text(Json.Get(from, "state"));
            made.WordsZh = Json.Text(Json.Get(from, "words_zh"));
            made.WordsEn = Json.Text(Json.Get(from, "words_en"));
            made.Code = Json.Text(Json.Get(from, "code"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "state", State);
            Json.Put(made, "words_zh", WordsZh);
            Json.Put(made, "words_en", WordsEn);
            Json.Put(made, "code", Code);
            return made;
        }
    }

    public sealed class Refill : INhirxValue
    {
        public long Number;
        public long Of;
        public long? Days;
        public long? TotalDays;
        public bool? Controlled;
        public static Refill From(object from)
        {
            if (from == null) return null;
            var made = new Refill();
            made.Number = Json.Long(Json.Get(from, "number"));
            made.Of = Json.Long(Json.Get(from, "of"));
            made.Days = Json.LongOrNull(Json.Get(from, "days"));
            made.TotalDays = Json.LongOrNull(Json.Get(from, "total_days"));
            made.Controlled = Json.BoolOrNull(Json.Get(from, "controlled"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "number", Number);
            Json.Put(made, "of", Of);
            Json.Put(made, "days", Days);
            Json.Put(made, "total_days", TotalDays);
            Json.Put(made, "controlled", Controlled);
            return made;
        }
    }

    public sealed class ResumeBody : INhirxValue
    {
        /// <summary>醫令再寫一次（true）或不再動卡（false） Write the orders again, or leave the card alone.</summary>
        public bool? WriteAgain;
        public bool? Confirmed;
        public static ResumeBody From(object from)
        {
            if (from == null) return null;
            var made = new ResumeBody();
            made.WriteAgain = Json.BoolOrNull(Json.Get(from, "write_again"));
            made.Confirmed = Json.BoolOrNull(Json.Get(from, "confirmed"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "write_again", WriteAgain);
            Json.Put(made, "confirmed", Confirmed);
            return made;
        }
    }

    public sealed class RevealBody : INhirxValue
    {
        /// <summary>明示要看完整身分 Says that the identity is wanted in full.</summary>
        public bool Reveal;
        public static RevealBody From(object from)
        {
            if (from == null) return null;
            var made = new RevealBody();
            made.Reveal = Json.Bool(Json.Get(from, "reveal"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "reveal", Reveal);
            return made;
        }
    }

    public sealed class ReviewBody : INhirxValue
    {
        public string Decision;
        /// <summary>決定為 visit-id 時；自動改正 O/I 並檢查格式 With visit-id; O and I are repaired.</summary>
        public List<string> VisitIds;
        /// <summary>決定為 illegible 時必填 Needed with illegible.</summary>
        public string Cause;
        /// <summary>補充說明，請勿含個資 No personal data, please.</summary>
        public string Note;
        public static ReviewBody From(object from)
        {
            if (from == null) return null;
            var made = new ReviewBody();
            made.Decision = Json.Text(Json.Get(from, "decision"));
            made.VisitIds = Json.List<string>(Json.Get(from, "visit_ids"), each => Json.Text(each));
            made.Cause = Json.Text(Json.Get(from, "cause"));
            made.Note = Json.Text(Json.Get(from, "note"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "decision", Decision);
            Json.Put(made, "visit_ids", VisitIds);
            Json.Put(made, "cause", Cause);
            Json.Put(made, "note", Note);
            return made;
        }
    }

    public sealed class ReviewKept : INhirxValue
    {
        public Dictionary<string, object> Decision;
        /// <summary>識別碼相同的其他頁 Other pages with the same visit ID.</summary>
        public List<Dictionary<string, object>> Same;
        public long Open;
        public static ReviewKept From(object from)
        {
            if (from == null) return null;
            var made = new ReviewKept();
            made.Decision = Json.Map(Json.Get(from, "decision"));
            made.Same = Json.List<Dictionary<string, object>>(Json.Get(from, "same"), each => Json.Map(each));
            made.Open = Json.Long(Json.Get(from, "open"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "decision", Decision);
            Json.Put(made, "same", Same);
            Json.Put(made, "open", Open);
            return made;
        }
    }

    public sealed class ReviewList : INhirxValue
    {
        /// <summary>批次輸出資料夾的名稱 The name of the batch's output folder.</summary>
        public string Folder;
        public long Pages;
        /// <summary>需要人工查看的頁數 Pages on the list.</summary>
        public long Review;
        /// <summary>尚未決定，含稍後再看 Not decided yet; those put off count.</summary>
        public long Open;
        public Dictionary<string, object> ByDecision;
        /// <summary>`name`, `why`, `path`, `page`, `decision`</summary>
        public List<Dictionary<string, object>> Items;
        public static ReviewList From(object from)
        {
            if (from == null) return null;
            var made = new ReviewList();
            made.Folder = Json.Text(Json.Get(from, "folder"));
            made.Pages = Json.Long(Json.Get(from, "pages"));
            made.Review = Json.Long(Json.Get(from, "review"));
            made.Open = Json.Long(Json.Get(from, "open"));
            made.ByDecision = Json.Map(Json.Get(from, "by_decision"));
            made.Items = Json.List<Dictionary<string, object>>(Json.Get(from, "items"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "folder", Folder);
            Json.Put(made, "pages", Pages);
            Json.Put(made, "review", Review);
            Json.Put(made, "open", Open);
            Json.Put(made, "by_decision", ByDecision);
            Json.Put(made, "items", Items);
            return made;
        }
    }

    public sealed class ReviewPage : INhirxValue
    {
        public string Name;
        public string Why;
        /// <summary>為什麼要看 Why a person has to look.</summary>
        public string Zh;
        public string En;
        /// <summary>要做什麼 What to do.</summary>
        public string DoZh;
        public string DoEn;
        public string Path;
        public long Page;
        /// <summary>`status`, `visit_ids`, `confidence`, `reasons`, `codes`, `error`, `same_picture_as`</summary>
        public Dictionary<string, object> Scan;
        /// <summary>依序試過的方法 What was tried, in this order.</summary>
        public List<Dictionary<string, object>> Tried;
        public Dictionary<string, object> Decision;
        /// <summary>識別碼相同的其他頁 Other pages with the same visit ID.</summary>
        public List<Dictionary<string, object>> Same;
        public static ReviewPage From(object from)
        {
            if (from == null) return null;
            var made = new ReviewPage();
            made.Name = Json.Text(Json.Get(from, "name"));
            made.Why = Json.Text(Json.Get(from, "why"));
            made.Zh = Json.Text(Json.Get(from, "zh"));
            made.En = Json.Text(Json.Get(from, "en"));
            made.DoZh = Json.Text(Json.Get(from, "do_zh"));
            made.DoEn = Json.Text(Json.Get(from, "do_en"));
            made.Path = Json.Text(Json.Get(from, "path"));
            made.Page = Json.Long(Json.Get(from, "page"));
            made.Scan = Json.Map(Json.Get(from, "scan"));
            made.Tried = Json.List<Dictionary<string, object>>(Json.Get(from, "tried"), each => Json.Map(each));
            made.Decision = Json.Map(Json.Get(from, "decision"));
            made.Same = Json.List<Dictionary<string, object>>(Json.Get(from, "same"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "name", Name);
            Json.Put(made, "why", Why);
            Json.Put(made, "zh", Zh);
            Json.Put(made, "en", En);
            Json.Put(made, "do_zh", DoZh);
            Json.Put(made, "do_en", DoEn);
            Json.Put(made, "path", Path);
            Json.Put(made, "page", Page);
            Json.Put(made, "scan", Scan);
            Json.Put(made, "tried", Tried);
            Json.Put(made, "decision", Decision);
            Json.Put(made, "same", Same);
            return made;
        }
    }

    public sealed class ScanList : INhirxValue
    {
        public List<Dictionary<string, object>> Scans;
        public static ScanList From(object from)
        {
            if (from == null) return null;
            var made = new ScanList();
            made.Scans = Json.List<Dictionary<string, object>>(Json.Get(from, "scans"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "scans", Scans);
            return made;
        }
    }

    public sealed class SessionAnswer : INhirxValue
    {
        /// <summary>之後每次變更以 X-Nhirx-Csrf 標頭送回 Send back as X-Nhirx-Csrf with every change.</summary>
        public string Csrf;
        /// <summary>目前的人員 Who is signed in.</summary>
        public string Operator;
        public bool Locked;
        public static SessionAnswer From(object from)
        {
            if (from == null) return null;
            var made = new SessionAnswer();
            made.Csrf = Json.Text(Json.Get(from, "csrf"));
            made.Operator = Json.Text(Json.Get(from, "operator"));
            made.Locked = Json.Bool(Json.Get(from, "locked"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "csrf", Csrf);
            Json.Put(made, "operator", Operator);
            Json.Put(made, "locked", Locked);
            return made;
        }
    }

    public sealed class SignIn : INhirxValue
    {
        public string Operator;
        public string Pin;
        public static SignIn From(object from)
        {
            if (from == null) return null;
            var made = new SignIn();
            made.Operator = Json.Text(Json.Get(from, "operator"));
            made.Pin = Json.Text(Json.Get(from, "pin"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "operator", Operator);
            Json.Put(made, "pin", Pin);
            return made;
        }
    }

    public sealed class StateAnswer : INhirxValue
    {
        public string Version;
        public double Started;
        public string Language;
        public Dictionary<string, object> Pharmacy;
        public bool Demo;
        /// <summary>這裡是批次的人工查看 Whether this is the review of a batch.</summary>
        public bool Review;
        public string Operator;
        public bool Locked;
        public string Clock;
        public ReaderState Reader;
        public WorkerState Worker;
        public Dictionary<string, object> Counts;
        /// <summary>本月異常（B）筆數與總筆數 Records of kind B this month, and all.</summary>
        public Dictionary<string, object> BShare;
        /// <summary>設定的提醒線（0–1） The share to warn of, where one is set.</summary>
        public double? BLine;
        public List<string> SettingsMissing;
        public List<Dictionary<string, object>> Plugins;
        public static StateAnswer From(object from)
        {
            if (from == null) return null;
            var made = new StateAnswer();
            made.Version = Json.Text(Json.Get(from, "version"));
            made.Started = Json.Double(Json.Get(from, "started"));
            made.Language = Json.Text(Json.Get(from, "language"));
            made.Pharmacy = Json.Map(Json.Get(from, "pharmacy"));
            made.Demo = Json.Bool(Json.Get(from, "demo"));
            made.Review = Json.Bool(Json.Get(from, "review"));
            made.Operator = Json.Text(Json.Get(from, "operator"));
            made.Locked = Json.Bool(Json.Get(from, "locked"));
            made.Clock = Json.Text(Json.Get(from, "clock"));
            made.Reader = ReaderState.From(Json.Get(from, "reader"));
            made.Worker = WorkerState.From(Json.Get(from, "worker"));
            made.Counts = Json.Map(Json.Get(from, "counts"));
            made.BShare = Json.Map(Json.Get(from, "b_share"));
            made.BLine = Json.DoubleOrNull(Json.Get(from, "b_line"));
            made.SettingsMissing = Json.List<string>(Json.Get(from, "settings_missing"), each => Json.Text(each));
            made.Plugins = Json.List<Dictionary<string, object>>(Json.Get(from, "plugins"), each => Json.Map(each));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "version", Version);
            Json.Put(made, "started", Started);
            Json.Put(made, "language", Language);
            Json.Put(made, "pharmacy", Pharmacy);
            Json.Put(made, "demo", Demo);
            Json.Put(made, "review", Review);
            Json.Put(made, "operator", Operator);
            Json.Put(made, "locked", Locked);
            Json.Put(made, "clock", Clock);
            Json.Put(made, "reader", Reader);
            Json.Put(made, "worker", Worker);
            Json.Put(made, "counts", Counts);
            Json.Put(made, "b_share", BShare);
            Json.Put(made, "b_line", BLine);
            Json.Put(made, "settings_missing", SettingsMissing);
            Json.Put(made, "plugins", Plugins);
            return made;
        }
    }

    public sealed class WhyBody : INhirxValue
    {
        /// <summary>原因，記入稽核紀錄（勿含個資） Reason for the audit trail.</summary>
        public string Why;
        public static WhyBody From(object from)
        {
            if (from == null) return null;
            var made = new WhyBody();
            made.Why = Json.Text(Json.Get(from, "why"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "why", Why);
            return made;
        }
    }

    public sealed class WorkerBody : INhirxValue
    {
        public string Action;
        public static WorkerBody From(object from)
        {
            if (from == null) return null;
            var made = new WorkerBody();
            made.Action = Json.Text(Json.Get(from, "action"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "action", Action);
            return made;
        }
    }

    public sealed class WorkerState : INhirxValue
    {
        public string State;
        public string ReasonZh;
        public string ReasonEn;
        /// <summary>open：健保署服務暫停連線中 the NHIA's service is left alone for now</summary>
        public string Breaker;
        public string Code;
        public string Until;
        public static WorkerState From(object from)
        {
            if (from == null) return null;
            var made = new WorkerState();
            made.State = Json.Text(Json.Get(from, "state"));
            made.ReasonZh = Json.Text(Json.Get(from, "reason_zh"));
            made.ReasonEn = Json.Text(Json.Get(from, "reason_en"));
            made.Breaker = Json.Text(Json.Get(from, "breaker"));
            made.Code = Json.Text(Json.Get(from, "code"));
            made.Until = Json.Text(Json.Get(from, "until"));
            return made;
        }
        public object ToJson()
        {
            var made = new Dictionary<string, object>();
            Json.Put(made, "state", State);
            Json.Put(made, "reason_zh", ReasonZh);
            Json.Put(made, "reason_en", ReasonEn);
            Json.Put(made, "breaker", Breaker);
            Json.Put(made, "code", Code);
            Json.Put(made, "until", Until);
            return made;
        }
    }

    public sealed partial class NhirxClient
    {
        /// <summary>調劑台的狀態 State of the counter</summary>
        public StateAnswer GetState()
        {
            var address = "/api/v1/state";
            return StateAnswer.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>背景上傳：立即送出、暫停、恢復 The background upload</summary>
        public WorkerState PostWorker(WorkerBody body)
        {
            var address = "/api/v1/worker";
            return WorkerState.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>目前的工作階段 The session at hand</summary>
        public SessionAnswer GetSession()
        {
            var address = "/api/v1/session";
            return SessionAnswer.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>用一次性連結登入 Come in by a one-time link</summary>
        public SessionAnswer PostSession(LinkToken body)
        {
            var address = "/api/v1/session";
            return SessionAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>登出 End the session</summary>
        public void DeleteSession()
        {
            var address = "/api/v1/session";
            Send("DELETE", address, null, null);
        }

        /// <summary>以 PIN 登入或解鎖 Sign in with a PIN</summary>
        public SessionAnswer PostUnlock(SignIn body)
        {
            var address = "/api/v1/session/unlock";
            return SessionAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>鎖定畫面 Lock the page</summary>
        public SessionAnswer PostLock()
        {
            var address = "/api/v1/session/lock";
            return SessionAnswer.From(Json.Parse(Send("POST", address, null, null)));
        }

        /// <summary>人員名單 The operators</summary>
        public OperatorList GetOperators()
        {
            var address = "/api/v1/operators";
            return OperatorList.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>新增人員或更換 PIN Add an operator</summary>
        public Operator PostOperator(NewOperator body)
        {
            var address = "/api/v1/operators";
            return Operator.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>讀取影像、PDF 或 TIFF Read a picture, PDF or TIFF</summary>
        public ScanList PostScan(byte[] body, string name = null)
        {
            var address = "/api/v1/scans";
            address = Json.Query(address, "name", name);
            return ScanList.From(Json.Parse(Send("POST", address, "application/octet-stream", body)));
        }

        /// <summary>掃描頁的影像 The page that was scanned</summary>
        public byte[] GetPreview(string @ref)
        {
            var address = "/api/v1/scans/" + Json.Escape(@ref) + "/preview.jpg";
            return Send("GET", address, null, null);
        }

        /// <summary>檢查輸入或掃描器打出的文字 Look at a text that was typed or scanned</summary>
        public Dictionary<string, object> PostCode(CodeText body)
        {
            var address = "/api/v1/codes";
            return Json.Map(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>找出處方內容 Find the prescription of a sheet</summary>
        public FindAnswer PostFind(FindBody body)
        {
            var address = "/api/v1/prescriptions/find";
            return FindAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>讀卡機裡是誰的卡（遮蔽） Whose card is in the reader, masked</summary>
        public CardAnswer GetCard()
        {
            var address = "/api/v1/card";
            return CardAnswer.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>讀取完整身分以帶入表單 Read the identity for a form</summary>
        public Identity PostCardRead(RevealBody body)
        {
            var address = "/api/v1/card/read";
            return Identity.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>試算：上傳什麼、依據為何 What would be uploaded, and why</summary>
        public Dictionary<string, object> PostPlan(PlanBody body)
        {
            var address = "/api/v1/plan";
            return Json.Map(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>調劑 Dispense</summary>
        public DispensingAnswer PostDispensing(DispenseBody body, string idempotencyKey = null)
        {
            var address = "/api/v1/dispensings";
            return DispensingAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body), "Idempotency-Key", idempotencyKey)));
        }

        /// <summary>調劑清單 Dispensings</summary>
        public Items GetDispensings(string state = null, string q = null, long? limit = null)
        {
            var address = "/api/v1/dispensings";
            address = Json.Query(address, "state", state);
            address = Json.Query(address, "q", q);
            address = Json.Query(address, "limit", limit);
            return Items.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>一筆調劑 One dispensing</summary>
        public DispensingAnswer GetDispensing(long number)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number);
            return DispensingAnswer.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>宣告無法讀取時保存的影像 The kept picture of an illegible sheet</summary>
        public byte[] GetPicture(long number)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number) + "/picture.jpg";
            return Send("GET", address, null, null);
        }

        /// <summary>接續中斷的調劑 Go on with a stopped one</summary>
        public DispensingAnswer PostResume(long number, ResumeBody body)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number) + "/resume";
            return DispensingAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>退回就醫序號並結案 Give the number back</summary>
        public GivenBack PostGiveBack(long number)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number) + "/give-back";
            return GivenBack.From(Json.Parse(Send("POST", address, null, null)));
        }

        /// <summary>結案，不上傳 Close it; nothing is uploaded</summary>
        public DispensingAnswer PostAbandon(long number, WhyBody body)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number) + "/abandon";
            return DispensingAnswer.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>補卡：取回欠卡調劑的內容 Make up a held one</summary>
        public MakeUpAnswer PostMakeUp(long number)
        {
            var address = "/api/v1/dispensings/" + Json.Escape(number) + "/make-up";
            return MakeUpAnswer.From(Json.Parse(Send("POST", address, null, null)));
        }

        /// <summary>上傳資料清單（遮蔽） Records, masked</summary>
        public Items GetRecords(string day = null, string state = null, string q = null, long? limit = null)
        {
            var address = "/api/v1/records";
            address = Json.Query(address, "day", day);
            address = Json.Query(address, "state", state);
            address = Json.Query(address, "q", q);
            address = Json.Query(address, "limit", limit);
            return Items.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>一筆資料：欄位、檢核、經過 One record</summary>
        public Dictionary<string, object> GetRecord(long number)
        {
            var address = "/api/v1/records/" + Json.Escape(number);
            return Json.Map(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>顯示完整內容（稽核） Show it in full, audited</summary>
        public Dictionary<string, object> PostReveal(long number, WhyBody body)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/reveal";
            return Json.Map(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>上傳的 XML（稽核） The XML that is sent, audited</summary>
        public string GetXml(long number)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/xml";
            return Json.Utf8(Send("GET", address, null, null));
        }

        /// <summary>原樣重送 Send it again as it is</summary>
        public Created PostRetry(long number)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/retry";
            return Created.From(Json.Parse(Send("POST", address, null, null)));
        }

        /// <summary>更正建議 The corrected record that the rules propose</summary>
        public CorrectionAnswer GetCorrection(long number)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/correction";
            return CorrectionAnswer.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>送出更正後的資料 Send the corrected record</summary>
        public Created PostCorrection(long number, CorrectionBody body)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/correction";
            return Created.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>撤回，不再傳送 Take it out for good</summary>
        public Created PostWithdraw(long number, WhyBody body)
        {
            var address = "/api/v1/records/" + Json.Escape(number) + "/withdraw";
            return Created.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>列印當日清單（遮蔽） The list of a day for the printer</summary>
        public string GetPrint(string format = null, string day = null, string lang = null)
        {
            var address = "/api/v1/print/today";
            address = Json.Query(address, "format", format);
            address = Json.Query(address, "day", day);
            address = Json.Query(address, "lang", lang);
            return Json.Utf8(Send("GET", address, null, null));
        }

        /// <summary>需要人工查看的頁 The pages for a person</summary>
        public ReviewList GetReview(long? start = null, long? limit = null)
        {
            var address = "/api/v1/review";
            address = Json.Query(address, "start", start);
            address = Json.Query(address, "limit", limit);
            return ReviewList.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>清單中的一頁：讀到什麼、試過什麼 One page: what was read and tried</summary>
        public ReviewPage GetReviewPage(string name)
        {
            var address = "/api/v1/review/" + Json.Escape(name);
            return ReviewPage.From(Json.Parse(Send("GET", address, null, null)));
        }

        /// <summary>決定這一頁 Decide about the page</summary>
        public ReviewKept PostReview(string name, ReviewBody body)
        {
            var address = "/api/v1/review/" + Json.Escape(name);
            return ReviewKept.From(Json.Parse(Send("POST", address, "application/json", Json.ToBytes(body))));
        }

        /// <summary>這一頁的影像 The picture of the page</summary>
        public byte[] GetReviewPicture(string name)
        {
            var address = "/api/v1/review/" + Json.Escape(name) + "/picture";
            return Send("GET", address, null, null);
        }

        /// <summary>示範用的處方箋影像（僅 --demo） The sample sheet, with --demo only</summary>
        public byte[] GetDemoSheet(long? number = null)
        {
            var address = "/api/v1/demo/sheet.jpg";
            address = Json.Query(address, "number", number);
            return Send("GET", address, null, null);
        }
    }
}

def html_page(report):
    return ""
